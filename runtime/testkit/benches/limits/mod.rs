//! The simplest honest program for each path: the same library and the same settings, without a pipeline around it.

mod broadcast;
mod consume;
mod delays;
mod hop;
mod post;
mod produce;

/// Runs the limit that the arguments name.
pub(crate) async fn run(arguments: &[String]) {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["produce", brokers, topic, messages] => {
            produce::run(brokers, topic, messages.parse().expect("a number"));
        }
        ["consume", brokers, topic, group, messages] => {
            consume::run(brokers, topic, group, messages.parse().expect("a number"));
        }
        ["delays", brokers, topic, group] => delays::run(brokers, topic, group),
        ["post", addr, connections, messages] => {
            let number = |text: &str| text.parse().expect("a number");
            post::run(addr, number(connections), number(messages)).await;
        }
        ["hop", messages, batch] => {
            let number = |text: &str| text.parse().expect("a number");
            hop::run(number(messages), number(batch)).await;
        }
        ["broadcast", feed] => broadcast::run(feed),
        _ => panic!("no limit {arguments:?}"),
    }
}
