//! The name of this host.

use pipeline_sdk::Result;

/// The host's name, without its domain.
pub(crate) fn name() -> Result<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_err(|error| format!("the host's name cannot be read: {error}"))?;
    Ok(first_label(&name).to_owned())
}

fn first_label(name: &str) -> &str {
    let name = name.trim();
    name.split_once('.').map_or(name, |(label, _)| label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_is_left_out() {
        assert_eq!(first_label("vm1.example.org\n"), "vm1");
        assert_eq!(first_label("vm1\n"), "vm1");
    }
}
