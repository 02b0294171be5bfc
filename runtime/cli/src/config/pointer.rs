//! JSON pointers (RFC 6901), by which schemas and plugins name places of settings.

/// The names and indices on the way that a pointer describes.
pub(super) fn parts(pointer: &str) -> impl Iterator<Item = String> {
    let escaped = pointer.split('/').skip(1);
    escaped.map(|part| part.replace("~1", "/").replace("~0", "~"))
}

/// The pointer to the value of `key` in the mapping that `pointer` names.
pub(super) fn child(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_are_the_keys_that_made_the_pointer(keys: Vec<String>) {
            let pointer = keys.iter().fold(String::new(), |pointer, key| child(&pointer, key));
            prop_assert_eq!(parts(&pointer).collect::<Vec<_>>(), keys);
        }
    }
}
