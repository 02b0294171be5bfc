//! `pipeline trace`: what happened to the message at a position, as Jaeger tells it.

mod jaeger;
mod tree;

use super::ask;
use crate::args::{Position, TraceArgs};
use crate::exit::Exit;
use crate::output::{print, tell};
use jaeger::Jaeger;

/// Prints where to look, and the trace itself if Jaeger is there to be asked.
pub(crate) fn trace(args: &TraceArgs) -> Exit {
    let Some(base) = &args.jaeger else {
        let link = jaeger::search_link(jaeger::LOCAL, &args.service, &args.position);
        return show(&format!("{link}\n"));
    };
    ask::run(show_of_jaeger(base.as_str(), &args.position))
}

async fn show_of_jaeger(base: &str, position: &Position) -> Exit {
    match find(base, position).await {
        Ok(Some(text)) => show(&text),
        Ok(None) => {
            tell(&format!(
                "Jaeger has no trace of `{position}`: it was not sampled, or is older than {} days\n",
                jaeger::DAYS
            ));
            Exit::Unavailable
        }
        Err(why) => {
            tell(&format!("Jaeger at `{base}`: {why}\n"));
            Exit::Unavailable
        }
    }
}

async fn find(base: &str, position: &Position) -> Result<Option<String>, String> {
    let jaeger = Jaeger::at(base)?;
    let found = jaeger.find(position).await?;
    Ok(found.map(|found| format!("{}\n{}", jaeger.trace_link(&found), tree::text(&found))))
}

fn show(text: &str) -> Exit {
    print(text.as_bytes()).err().unwrap_or(Exit::Clean)
}

#[cfg(test)]
mod tests;
