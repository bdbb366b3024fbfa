//! SMTP (RFC 5321), message submission (RFC 6409) and LMTP (RFC 2033): the server's side of a session, without I/O.

mod ask;
mod reply;

pub use ask::{
    Answer, Ask, BodyType, Client, Delivery, Greeting, Kind, Listed, Notify, NotifyOn, OriginalRecipient,
    Outcome, Recipient, Ret, Sender,
};
pub use reply::{Enhanced, Refusal};
