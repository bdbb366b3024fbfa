//! What NOTIFY (RFC 5465), ESEARCH (RFC 7377) and GETMETADATA (RFC 5464) name: mailboxes, events, depths.

use super::FetchItem;

/// NOTIFY SET (RFC 5465 §3.1).
#[derive(Clone, PartialEq, Debug)]
pub struct Notify {
    /// STATUS: the present state is told first.
    pub status: bool,
    /// At least one; at most one of them for the selected mailbox.
    pub groups: Vec<EventGroup>,
}

/// Events of some mailboxes (RFC 5465 §8).
#[derive(Clone, PartialEq, Debug)]
pub struct EventGroup {
    /// Which mailboxes.
    pub mailboxes: SourceMailboxes,
    /// Which events; none: NONE. MessageNew and MessageExpunge are there together, and with FlagChange and
    /// AnnotationChange.
    pub events: Vec<NotifyEvent>,
}

/// `filter-mailboxes` of RFC 5465 §6 and RFC 7377 §2.2.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SourceMailboxes {
    /// The selected one.
    Selected,
    /// The selected one, with EXPUNGE only where commands allow it.
    SelectedDelayed,
    /// All to which mail may be delivered.
    Inboxes,
    /// All of the user's own.
    Personal,
    /// Those on the list of subscriptions.
    Subscribed,
    /// These and all below them.
    Subtree(Vec<String>),
    /// These and those immediately below (RFC 7377).
    SubtreeOne(Vec<String>),
    /// These.
    Mailboxes(Vec<String>),
}

impl SourceMailboxes {
    /// The names in it.
    pub fn names(&self) -> &[String] {
        match self {
            SourceMailboxes::Subtree(names)
            | SourceMailboxes::SubtreeOne(names)
            | SourceMailboxes::Mailboxes(names) => names,
            _ => &[],
        }
    }

    /// As it is written, without the names.
    pub fn keyword(&self) -> &'static str {
        match self {
            SourceMailboxes::Selected => "SELECTED",
            SourceMailboxes::SelectedDelayed => "SELECTED-DELAYED",
            SourceMailboxes::Inboxes => "INBOXES",
            SourceMailboxes::Personal => "PERSONAL",
            SourceMailboxes::Subscribed => "SUBSCRIBED",
            SourceMailboxes::Subtree(_) => "SUBTREE",
            SourceMailboxes::SubtreeOne(_) => "SUBTREE-ONE",
            SourceMailboxes::Mailboxes(_) => "MAILBOXES",
        }
    }
}

/// An event of RFC 5465 §5.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotifyEvent {
    /// MessageNew, and what is told of each new message.
    MessageNew(Vec<FetchItem>),
    /// MessageExpunge
    MessageExpunge,
    /// FlagChange
    FlagChange,
    /// AnnotationChange
    AnnotationChange,
    /// MailboxName
    MailboxName,
    /// SubscriptionChange
    SubscriptionChange,
    /// MailboxMetadataChange
    MailboxMetadataChange,
    /// ServerMetadataChange
    ServerMetadataChange,
    /// Another, which this server does not know.
    Other(String),
}

impl NotifyEvent {
    /// Those that are a name alone.
    pub const PLAIN: [NotifyEvent; 7] = [
        NotifyEvent::MessageExpunge,
        NotifyEvent::FlagChange,
        NotifyEvent::AnnotationChange,
        NotifyEvent::MailboxName,
        NotifyEvent::SubscriptionChange,
        NotifyEvent::MailboxMetadataChange,
        NotifyEvent::ServerMetadataChange,
    ];

    /// As it is written, without data items.
    pub fn name(&self) -> &str {
        match self {
            NotifyEvent::MessageNew(_) => "MessageNew",
            NotifyEvent::MessageExpunge => "MessageExpunge",
            NotifyEvent::FlagChange => "FlagChange",
            NotifyEvent::AnnotationChange => "AnnotationChange",
            NotifyEvent::MailboxName => "MailboxName",
            NotifyEvent::SubscriptionChange => "SubscriptionChange",
            NotifyEvent::MailboxMetadataChange => "MailboxMetadataChange",
            NotifyEvent::ServerMetadataChange => "ServerMetadataChange",
            NotifyEvent::Other(name) => name,
        }
    }

    /// `message-event`
    pub fn is_of_messages(&self) -> bool {
        matches!(
            self,
            NotifyEvent::MessageNew(_)
                | NotifyEvent::MessageExpunge
                | NotifyEvent::FlagChange
                | NotifyEvent::AnnotationChange
        )
    }
}

/// How far below the named entries GETMETADATA goes (RFC 5464 §4.2.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Depth {
    /// Only they.
    #[default]
    Zero,
    /// They and what is immediately below.
    One,
    /// All that is below.
    Infinity,
}

impl Depth {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Depth::Zero => "0",
            Depth::One => "1",
            Depth::Infinity => "infinity",
        }
    }

    /// Whether `name` is `root`, or below it and near enough. Both in lower case.
    pub fn reaches(self, root: &str, name: &str) -> bool {
        let Some(rest) = name.strip_prefix(root) else { return false };
        match (self, rest.strip_prefix('/')) {
            (_, None) => rest.is_empty(),
            (Depth::Zero, Some(_)) => false,
            (Depth::One, Some(below)) => !below.contains('/'),
            (Depth::Infinity, Some(_)) => true,
        }
    }
}
