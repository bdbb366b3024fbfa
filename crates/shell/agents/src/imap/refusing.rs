//! What may be asked by whom, and the words of refusals.

use super::sharing::Standing;
use ::imap::ask::{Access, Answer, Ask, MakeKey, Refused, RefusedKind, Watch};
use model::{FlagChange, FlagMode, Right, Rights};
use store::Error;

/// What may be asked without saying who one is.
pub(super) fn for_anybody(ask: &Ask) -> bool {
    matches!(
        ask,
        Ask::Auth(_)
            | Ask::Client(_)
            | Ask::Unauthenticate
            | Ask::Mailboxes { .. }
            | Ask::Quota(_)
            | Ask::Status { .. }
            | Ask::Select { access: Access::ReadOnly, .. }
            | Ask::Unselect
            | Ask::Watch(_)
            | Ask::News
            | Ask::Metadata { .. }
            | Ask::Changes { .. }
            | Ask::Resync { .. }
            | Ask::Rows { .. }
            | Ask::Content { .. }
            | Ask::Order { .. }
            | Ask::Search { .. }
            | Ask::Glance { .. }
            | Ask::SearchIn { .. }
            // RFC 4467 §3: what a URL for anybody names.
            | Ask::UrlKey { make: MakeKey::No, .. }
            | Ask::UrlMessage { owner: Some(_), .. }
    )
}

/// What ends something, and is done for accounts too that have been disabled meanwhile.
pub(super) fn for_the_barred(ask: &Ask) -> bool {
    matches!(
        ask,
        Ask::Auth(_) | Ask::Client(_) | Ask::Unauthenticate | Ask::Unselect | Ask::Watch(Watch::Off)
    )
}

/// RFC 4314 §4, STORE: it fails only where the user may change nothing of what he asked for.
pub(super) fn may_change(change: &FlagChange, rights: Rights) -> Result<(), Refused> {
    let flags = rights.flags();
    let words = rights.has(Right::Write);
    let something = flags.0 & change.flags.0 != 0 || words && !change.keywords.is_empty();
    let asked_nothing = change.flags.0 == 0 && change.keywords.is_empty();
    let clears = change.mode == FlagMode::Replace && flags.0 != 0;
    match something || clears || asked_nothing && change.mode != FlagMode::Replace {
        true => Ok(()),
        false => Err(Refused::new(RefusedKind::NoPerm, "you may not change these flags here")),
    }
}

/// RFC 4314 §5.1.1: nothing more is shown to who may not read it any more.
pub(super) fn demand_read(standing: Standing) -> Result<(), Refused> {
    match standing.rights.has(Right::Read) {
        true => Ok(()),
        false => Err(Refused::new(RefusedKind::NoPerm, "you may not read that mailbox any more")),
    }
}

pub(super) fn directory_away(error: directory::Error) -> Refused {
    tracing::error!(%error, "the directory failed");
    Refused::new(RefusedKind::Unavailable, "The directory can't be read now")
}

pub(super) fn done(outcome: Result<(), Error>) -> Result<Answer, Refused> {
    outcome.map(|()| Answer::Done).map_err(refused)
}

/// The store's trouble, in the session's words.
pub(super) fn refused(error: Error) -> Refused {
    let kind = match &error {
        Error::NoMailbox | Error::NoMessage | Error::NoAccount => RefusedKind::NonExistent,
        Error::MailboxExists | Error::AccountExists => RefusedKind::AlreadyExists,
        Error::BadName(_) => RefusedKind::Cannot,
        Error::OverQuota => RefusedKind::OverQuota,
        Error::Limit(store::Limit::Metadata) => RefusedKind::Metadata,
        Error::Limit(store::Limit::AnnotationSize) => RefusedKind::AnnotationSize,
        Error::Limit(store::Limit::Annotations) => RefusedKind::Annotations,
        Error::Limit(_) => RefusedKind::Limit,
        Error::UseTaken => RefusedKind::UseAttr,
        Error::Engine(engine::Error::Corrupt { .. }) => RefusedKind::Corrupt,
        Error::Engine(_) | Error::Cancelled => RefusedKind::Unavailable,
    };
    let Error::Engine(error) = &error else { return Refused::new(kind, error.to_string()) };
    // Which record or file it is, is for the operator.
    tracing::error!(%error, "the store failed");
    let text = match error {
        engine::Error::Full => "no space is left for mail",
        engine::Error::Corrupt { .. } => "what is stored there is damaged",
        _ => "the store can't be used now, try again later",
    };
    Refused::new(kind, text)
}
