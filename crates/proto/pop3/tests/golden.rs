//! Runs golden/pop3/*.t.

mod stage;

#[test]
fn golden_transcripts() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../golden/pop3");
    transcript::run_folder(folder, stage::Stage::new);
}
