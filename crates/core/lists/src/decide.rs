//! What becomes of a message to a list, decided before it is taken.

use crate::list::List;
use crate::record::{Others, Posting};
use model::{EmailAddress, ReversePath};

/// What is known of a message when it has come.
#[derive(Clone, Copy, Debug)]
pub struct Arrived<'a> {
    /// Its reverse-path.
    pub from: &'a ReversePath,
    /// Its header, or all of it.
    pub message: &'a [u8],
    /// Addresses that the list believes it to be from: reverse-path and author, unless they are of our domains and nobody
    /// has logged in.
    pub believed: &'a [EmailAddress],
    /// Whether one of these is a member.
    pub by_member: bool,
    /// Octets.
    pub size: u64,
}

/// What becomes of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decision {
    /// It goes to the members.
    Take,
    /// It waits for an owner, for this reason.
    Hold(String),
    /// It is refused: code, enhanced code, text.
    Refuse(u16, [u8; 3], String),
}

/// Decides about a message to `list`.
pub fn decide(list: &List, arrived: Arrived<'_>) -> Decision {
    let address = &list.address;
    if *arrived.from == ReversePath::Null {
        // RFC 5321 §4.5.5: nobody could be told of anything, and bounces have an address of their own.
        return Decision::Refuse(
            550,
            [5, 7, 1],
            format!("<{address}> is a mailing list and takes no bounces"),
        );
    }
    if has_been_here(list, arrived.message) {
        let text = format!("The message has been at the list <{address}> already");
        return Decision::Refuse(554, [5, 4, 6], text);
    }
    if is_answered_by_machine(arrived.message) {
        // RFC 3834 §2: automatic answers go to who is answered, not to lists.
        let text = format!("<{address}> is a mailing list and takes no automatic answers");
        return Decision::Refuse(550, [5, 7, 1], text);
    }
    if arrived.size > list.settings.size_bytes_max {
        let text = format!("<{address}> takes at most {} octets", list.settings.size_bytes_max);
        return Decision::Refuse(552, [5, 2, 3], text);
    }
    let owner = arrived.believed.iter().any(|one| is_owner(list, one));
    let may = match list.settings.posting {
        Posting::Anyone => true,
        Posting::Members => owner || arrived.by_member,
        Posting::Owners => owner,
    };
    match (may, list.settings.others, list.settings.posting) {
        (true, ..) => Decision::Take,
        (false, Others::Refuse, Posting::Owners) => {
            Decision::Refuse(550, [5, 7, 2], format!("Only its owners write to <{address}>"))
        }
        (false, Others::Refuse, _) => {
            Decision::Refuse(550, [5, 7, 2], format!("Only members write to <{address}>; subscribe first"))
        }
        (false, Others::Hold, Posting::Owners) => Decision::Hold("the list is moderated".to_owned()),
        (false, Others::Hold, _) => Decision::Hold("the author is no member".to_owned()),
    }
}

/// Whether that is the address of an owner.
pub(crate) fn is_owner(list: &List, address: &EmailAddress) -> bool {
    let normal =
        |address: &EmailAddress| directory::normal_address(address).unwrap_or_else(|| address.clone());
    list.settings
        .owners
        .iter()
        .filter_map(|owner| EmailAddress::parse(owner).ok())
        .any(|owner| normal(&owner) == normal(address))
}

impl List {
    /// Whether that is the address of an owner.
    pub fn is_owned_by(&self, address: &EmailAddress) -> bool {
        is_owner(self, address)
    }
}

/// RFC 9228: each copy says in Delivered-To which list made it; so do its List-Id fields (RFC 2919).
fn has_been_here(list: &List, message: &[u8]) -> bool {
    let own = list.address.to_string();
    let id = list.id();
    mime::header::fields(message).any(|field| {
        if field.is("Delivered-To") {
            return field.unfolded().trim_ascii().eq_ignore_ascii_case(own.as_bytes());
        }
        let named = |value: &[u8]| value.to_ascii_lowercase().ends_with(format!("<{id}>").as_bytes());
        field.is("List-Id") && named(&field.unfolded())
    })
}

fn is_answered_by_machine(message: &[u8]) -> bool {
    let auto = mime::header::first(message, "Auto-Submitted").map(mime::header::unfold);
    auto.is_some_and(|value| value.to_ascii_lowercase().starts_with(b"auto-replied"))
}
