//! IMAP commands from arbitrary octets, IMAP URLs and the small decoders around them: what was understood prints to something
//! that means the same; the rest is a value with a printable text.
//!
//! Octet 0 of the input: bit 0 the encoding of names (modified UTF-7 or UTF-8).
#![no_main]

use imap::mailbox_name::NameEncoding;
use imap::parse::parse_command;
use imap::print::print;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((setup, text)) = input.split_first() else { return };
    let names = if setup & 1 == 0 { NameEncoding::ModifiedUtf7 } else { NameEncoding::Utf8 };
    match parse_command(text, names) {
        Ok(command) => {
            let printed = print(&command, names);
            assert!(printed.ends_with(b"\r\n"));
            match parse_command(&printed, names) {
                Ok(again) => assert_eq!(again, command, "{}", printed.escape_ascii()),
                Err(error) => panic!("{error}: {}", printed.escape_ascii()),
            }
        }
        Err(error) => {
            let shown = error.to_string();
            assert!(
                shown.bytes().all(|octet| matches!(octet, b' '..=b'~')) && shown.len() < 300,
                "{shown:?}"
            );
            assert!(error.offset <= text.len());
        }
    }
    if let Ok(name) = std::str::from_utf8(text) {
        let mut wire = Vec::new();
        imap::mutf7::encode(name, &mut wire);
        assert!(wire.is_ascii());
        assert_eq!(imap::mutf7::decode(&wire).as_deref().ok(), Some(name), "{}", wire.escape_ascii());
    }
    if let Ok(url) =
        std::str::from_utf8(text).map_err(|_| ()).and_then(|text| imap::url::Url::parse(text).map_err(|_| ()))
    {
        let printed = url.to_string();
        let again = imap::url::Url::parse(&printed).map(|again| again.to_string());
        assert_eq!(again.as_deref(), Ok(&*printed));
        let _ = imap::url::fetch(&url, text);
    }
    if let Ok(name) = imap::mutf7::decode(text) {
        assert!(name.len() <= 3 * text.len());
    }
});
