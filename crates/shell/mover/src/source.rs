//! What is asked of the server that is copied from.

use migration::{Listed, SourceFolder};
use model::Uid;
use std::fmt;

/// An open folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opened {
    /// How many messages it holds.
    pub exists: u32,
    /// With which UIDs hold (RFC 9051 §2.3.1.1).
    pub uid_validity: u32,
}

/// Why something was not given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// The connection is of no use any more; another one may be.
    Lost(String),
    /// This server does not let us in, or can't be asked at all; trying again changes nothing.
    Hopeless(String),
    /// What was asked for was refused; the connection is as good as before.
    Refused(String),
    /// What was asked for, or some of it, is not there any more.
    Gone(String),
    /// The store's.
    Store(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Lost(why)
            | Trouble::Hopeless(why)
            | Trouble::Refused(why)
            | Trouble::Gone(why)
            | Trouble::Store(why) => f.write_str(why),
        }
    }
}

impl From<store::Error> for Trouble {
    fn from(error: store::Error) -> Trouble {
        Trouble::Store(error.to_string())
    }
}

/// A logged-in session.
#[expect(async_fn_in_trait, reason = "a source is used by the thread that made it")]
pub trait Source {
    /// All folders of the account.
    ///
    /// # Errors
    /// See [`Trouble`].
    async fn folders(&mut self) -> Result<Vec<SourceFolder>, Trouble>;

    /// Opens a folder for reading.
    ///
    /// # Errors
    /// See [`Trouble`].
    async fn open(&mut self, name: &str) -> Result<Opened, Trouble>;

    /// Tells all messages of the open folder, in any order.
    ///
    /// # Errors
    /// See [`Trouble`].
    async fn list(&mut self, listed: &mut (dyn FnMut(Listed) + Send)) -> Result<(), Trouble>;

    /// Asks for messages of the open folder, by UID, ascending; they come with [`Source::next`], before anything else can
    /// be asked.
    fn ask(&mut self, uids: &[Uid]);

    /// The next message that was asked for, in any order. None: that was all; what did not come is gone.
    ///
    /// # Errors
    /// See [`Trouble`]; [`Trouble::Refused`] and [`Trouble::Gone`] come at the end and say that some did not come.
    async fn next(&mut self) -> Result<Option<(Uid, Vec<u8>)>, Trouble>;

    /// Says good-bye.
    async fn close(self);
}

/// Makes sessions.
#[expect(async_fn_in_trait, reason = "a source is used by the thread that made it")]
pub trait Connect {
    /// What it makes.
    type Source: Source;

    /// Connects and logs in.
    ///
    /// # Errors
    /// See [`Trouble`].
    async fn connect(&mut self) -> Result<Self::Source, Trouble>;

    /// Longest message that is taken, in octets.
    fn message_bytes_max(&self) -> u64;
}
