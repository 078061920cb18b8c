//! A panic's words: where it was, never what it says. The message of a panic can quote a log raw, with a secret in it.

use std::{
    io::{self, Write},
    panic::{self, PanicHookInfo},
};

/// From now on a panic says its place only.
pub fn say_places_only() {
    panic::set_hook(Box::new(|info| {
        let _closed = writeln!(io::stderr().lock(), "{}", words(info));
    }));
}

fn words(info: &PanicHookInfo<'_>) -> String {
    let place = info.location().map_or_else(|| "a place that is not known".to_owned(), ToString::to_string);
    format!("regreen: error: a bug in Regreen at {place}; please report it")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn the_place_is_said_and_the_message_is_not() {
        let said = Arc::new(Mutex::new(String::new()));
        let heard = Arc::clone(&said);
        panic::set_hook(Box::new(move |info| *heard.lock().unwrap() = words(info)));
        let text = format!("é of {}", "the-secret-token");
        let panicked = panic::catch_unwind(|| text[1..].len()).is_err();
        drop(panic::take_hook());
        let said = said.lock().unwrap().clone();
        assert!(panicked && said.contains("panics.rs:"), "{said}");
        assert!(!said.contains("the-secret-token"), "{said}");
    }
}
