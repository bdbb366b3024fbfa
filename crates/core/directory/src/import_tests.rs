use super::*;
use crate::testing::{NOW, address, directory};
use proptest::prelude::*;

fn import(directory: &Directory, text: &str) -> ImportOutcome {
    directory.import_csv(&mut text.as_bytes(), NOW, &mut |_| {}).unwrap()
}

#[test]
fn lines_become_accounts_and_bad_ones_are_named() {
    let directory = directory();
    let text = "\u{feff}Address,Password,Quota\r\n\
                a@x.test,pw,1G\r\n\
                \n\
                \"b@x.test\",\"a \"\"quoted\"\", one\",\n\
                c@x.test,pw\n\
                c@x.test,again,\n\
                d@y.test,pw,\n\
                no address,pw,\n\
                e@x.test,,\n\
                f@x.test,pw,lots\n\
                g@x.test,pw,1,2\n\
                h@x.test,\"pw\n\
                i@x.test,pw,0";
    let outcome = import(&directory, text);
    assert_eq!(outcome.created, 4, "{:?}", outcome.errors);
    let lines: Vec<u64> = outcome.errors.iter().map(|error| error.line).collect();
    assert_eq!(lines, [6, 7, 8, 9, 10, 11, 12]);
    assert!(outcome.errors[1].why.contains("y.test"), "{:?}", outcome.errors[1]);
    for name in ["a@x.test", "b@x.test", "c@x.test", "i@x.test"] {
        assert!(directory.account(&address(name)).unwrap().unwrap().has_password, "{name}");
    }
}

#[test]
fn more_than_a_batch_in_order() {
    let directory = directory();
    let text: String = (0..BATCH + 20).map(|n| format!("u{n}@x.test,p{n},\n")).collect();
    let mut progress = Vec::new();
    // As cheap as can be: this is about batches.
    directory.reload(crate::Settings { scram_iterations: 1, ..crate::Settings::default() });
    let outcome = directory.import_csv(&mut text.as_bytes(), NOW, &mut |lines| progress.push(lines)).unwrap();
    assert_eq!((outcome.created, outcome.refused), (BATCH as u64 + 20, 0));
    assert_eq!(progress, [BATCH as u64, BATCH as u64 + 20]);
    let last = format!("u{}@x.test", BATCH + 19);
    assert_eq!(directory.account(&address(&last)).unwrap().unwrap().id.0, BATCH as u32 + 20);
}

#[test]
fn endless_lines_and_strange_bytes() {
    let directory = directory();
    let long = "x".repeat(LINE_BYTES_MAX as usize * 3);
    let outcome = import(&directory, &format!("{long}\na@x.test,pw,\n"));
    assert_eq!((outcome.created, outcome.errors[0].line), (1, 1));
    let outcome = directory.import_csv(&mut &b"b\xff@x.test,pw\n"[..], NOW, &mut |_| {}).unwrap();
    assert_eq!(outcome.errors, [LineError { line: 1, why: "the line is not UTF-8".to_owned() }]);
}

#[test]
fn quotas() {
    for (text, wanted) in [
        ("", Ok(None)),
        ("0", Ok(None)),
        ("123", Ok(Some(123))),
        ("10 k", Ok(Some(10_240))),
        ("5MiB", Ok(Some(5 << 20))),
        ("1G", Ok(Some(1 << 30))),
        ("2tb", Ok(Some(2 << 40))),
        ("1.5G", Err(())),
        ("-1", Err(())),
        ("99999999999999T", Err(())),
    ] {
        assert_eq!(parse_quota(text).map_err(|_| ()), wanted, "{text}");
    }
}

proptest! {
    /// Fields that were quoted by the rules come back as they were.
    #[test]
    fn quoted_fields_come_back(fields in prop::collection::vec("[a-z,\" ]{0,12}", 1..5)) {
        let quoted: Vec<String> = fields.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
        prop_assert_eq!(split_fields(&quoted.join(",")), Ok(fields));
    }

    /// No line is too strange to be judged.
    #[test]
    fn any_line_is_judged(line in "[a-c@,\"=\\PC]{0,40}", first in any::<bool>()) {
        let _ = parse_line(&line, first);
    }
}
