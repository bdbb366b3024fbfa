//! Plays golden/smtp/*.t.

mod loopback;
mod properties;
mod world;

use transcript::Header;
use world::World;

impl transcript::World for World {
    type Session = smtp::Session;

    fn open(&mut self, _header: &Header, _client: u8) -> smtp::Session {
        self.session()
    }

    fn answer(&mut self, _client: u8, ask: smtp::Ask) -> smtp::Answer {
        World::answer(self, ask)
    }

    fn change(&mut self, text: &str) -> Result<(), String> {
        self.look(text)
    }
}

#[test]
fn transcripts() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../golden/smtp");
    transcript::run_folder(folder, |header| World::new(header.iter()));
}
