//! SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS (RFC 4314 §3). Who may ask what is the world's to say.

use super::Begun;
use crate::ask::{AclAsk, Answer, Ask};
use crate::command::AclCommand;
use crate::session::{Core, Done, Event, Next, Running, otherwise};
use crate::write;

#[derive(Debug)]
struct Acl {
    mailbox: String,
    /// As the client wrote it: LISTRIGHTS must return the same form (RFC 4314 §3.4).
    identifier: String,
    ask: AclAsk,
    name: &'static str,
}

pub(super) fn start(mailbox: String, command: AclCommand) -> Begun {
    let name = command.name();
    // RFC 4314 §3: "If the preparation of the identifier fails or results in an empty string, the server MUST refuse to
    // perform the command with a BAD response."
    let prepared = |identifier: &str| sasl::prepare(identifier).map(|name| name.into_owned());
    let (identifier, ask) = match command {
        AclCommand::Get => (String::new(), Ok(AclAsk::Get)),
        AclCommand::MyRights => (String::new(), Ok(AclAsk::MyRights)),
        AclCommand::Set { identifier, change } => {
            let ask = prepared(&identifier).map(|identifier| AclAsk::Set { identifier, change });
            (identifier, ask)
        }
        AclCommand::Delete { identifier } => {
            let ask = prepared(&identifier).map(|identifier| AclAsk::Delete { identifier });
            (identifier, ask)
        }
        AclCommand::ListRights { identifier } => {
            let ask = prepared(&identifier).map(|identifier| AclAsk::ListRights { identifier });
            (identifier, ask)
        }
    };
    match ask {
        Ok(ask) => Begun::Run(Box::new(Acl { mailbox, identifier, ask, name })),
        Err(_) => Begun::Now(Done::bad("The identifier is empty, or holds what no name may hold")),
    }
}

impl Running for Acl {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        let names = core.enabled.names();
        match event {
            Event::Go => {
                return Next::Ask(Ask::Acl { mailbox: self.mailbox.clone(), ask: self.ask.clone() });
            }
            Event::Answer(Answer::Done) => {}
            Event::Answer(Answer::Acl(entries)) => write::acl(&mut core.out, &self.mailbox, names, &entries),
            Event::Answer(Answer::ListRights { required, optional }) => {
                let (mailbox, identifier) = (&self.mailbox, &self.identifier);
                write::list_rights(&mut core.out, mailbox, names, identifier, required, optional);
            }
            Event::Answer(Answer::Rights(rights)) => {
                write::my_rights(&mut core.out, &self.mailbox, names, rights);
            }
            event => return otherwise(event),
        }
        Next::Done(Done::ok(format!("{} completed", self.name)))
    }
}
