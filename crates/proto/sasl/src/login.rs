//! LOGIN (draft-murchison-sasl-login-00): the name, then the password, each after a prompt that nobody reads.

use crate::{Next, Question, prepare, prepare_secret};

/// What is waited for.
#[derive(Debug)]
pub(crate) enum Login {
    ExpectUser,
    ExpectPassword { user: String },
}

impl Login {
    // Some clients compare the prompts: they are these, letter by letter.
    pub(crate) const USER_PROMPT: &'static [u8] = b"Username:";
    const PASSWORD_PROMPT: &'static [u8] = b"Password:";

    pub(crate) fn response(&mut self, message: &[u8]) -> Next {
        let Ok(text) = std::str::from_utf8(message) else {
            return Next::Malformed;
        };
        if text.is_empty() || text.contains('\0') {
            return Next::Malformed;
        }
        match self {
            Login::ExpectUser => {
                *self = Login::ExpectPassword { user: text.to_owned() };
                Next::Challenge(Self::PASSWORD_PROMPT.to_vec())
            }
            Login::ExpectPassword { user } => match (prepare(user), prepare_secret(text)) {
                (Ok(name), Ok(password)) => Next::Ask(Question::Password {
                    authorize_as: String::new(),
                    user: name.into_owned(),
                    password,
                }),
                _ => Next::Ask(Question::Failed { user: std::mem::take(user) }),
            },
        }
    }
}
