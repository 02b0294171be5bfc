//! What is wrong with settings is pointed at.

use super::*;

fn config(more: &str) -> Config {
    let text = format!(r#"{{"listen":"127.0.0.1:0"{more}}}"#);
    serde_json::from_str(&text).unwrap()
}

fn pointers(more: &str) -> Vec<String> {
    let found = config(more).validate();
    found
        .iter()
        .map(|invalid| {
            serde_json::to_value(invalid).unwrap()["pointer"]
                .as_str()
                .unwrap()
                .into()
        })
        .collect()
}

#[test]
fn the_default_settings_are_valid() {
    assert!(pointers("").is_empty());
}

#[test]
fn each_wrong_setting_is_pointed_at() {
    assert_eq!(
        pointers(r#","origins":["*","https://a.example","a.example","https://a/x"]"#),
        ["/origins/2", "/origins/3"]
    );
    assert_eq!(
        pointers(r#","peers":["ws://a:1/ws","http://a"]"#),
        ["/peers/1"]
    );
    assert_eq!(
        pointers(r#","token":"","max_body":0"#),
        ["/token", "/max_body"]
    );
    assert_eq!(
        pointers(
            r#","max_lag":{"messages":11,"bytes":"2MiB"},"ring":{"messages":10,"bytes":"1MiB"}"#
        ),
        ["/max_lag/messages", "/max_lag/bytes"]
    );
    assert_eq!(pointers(r#","ping":{"every":"0s"}"#), ["/ping/every"]);
}

#[test]
fn pages_of_peers_may_connect() {
    let config = config(r#","origins":["https://a"],"peers":["wss://b:8443/ws","ws://c/ws"]"#);
    let origins: Vec<_> = config.allowed_origins().collect();
    assert_eq!(origins, ["https://a", "https://b:8443", "http://c"]);
}

#[test]
fn an_unknown_key_is_an_error() {
    assert!(
        serde_json::from_str::<Config>(r#"{"listen":"127.0.0.1:0","ring":{"size":1}}"#).is_err()
    );
}
