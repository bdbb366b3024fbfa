//! New messages: delivery to many accounts at once, and APPEND.

use crate::feed::Touched;
use crate::keys::{self, MessageValue, RowValue};
use crate::ledger::{Ledger, Slot};
use crate::read::corrupt;
use crate::threads::{self, Placed};
use crate::{Error, NewAnnotation, Prepared, Store, Written, annotation};
use engine::{Abort, AccountId, ContentId, Tx};
use model::{EmailId, FlagSet, Keyword, MailboxId, ModSeq, SpecialUse, Uid, UidValidity, UnixTime};

/// Names a mailbox of an account; looked up inside the transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// INBOX, which is always there.
    Inbox,
    /// The (first made) mailbox of that use.
    Use(SpecialUse),
    /// By name.
    Name(String),
    /// By id.
    Id(MailboxId),
}

impl From<MailboxId> for Target {
    fn from(id: MailboxId) -> Target {
        Target::Id(id)
    }
}

impl From<&str> for Target {
    fn from(name: &str) -> Target {
        Target::Name(name.to_owned())
    }
}

/// What to do when the wanted mailbox is not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fallback {
    /// Take INBOX.
    Inbox,
    /// Don't deliver: [`Outcome::NoMailbox`].
    Refuse,
}

/// One local recipient. The same account may stand there for several mailboxes.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// Whose.
    pub account: AccountId,
    /// Where.
    pub mailbox: Target,
    /// If that is not there.
    pub fallback: Fallback,
    /// System flags to begin with.
    pub flags: FlagSet,
    /// Keywords to begin with; those beyond the mailbox's limit are left out.
    pub keywords: Vec<Keyword>,
}

/// Writes beside a delivery, given the content's id.
pub type ExtraWrite = Box<dyn FnMut(&mut dyn Tx, ContentId) -> Result<(), Abort> + Send>;

/// What else is written in the delivery's transaction (the outbound queue's entries).
pub struct Extra {
    /// References to the content that `write` takes over. 0: it only writes beside, and not at all when nobody here
    /// takes the message.
    pub references: u32,
    /// Writes; may run again after a conflict, and a failure undoes the whole delivery.
    pub write: ExtraWrite,
}

/// Makes a second delivery of the outcomes of the first.
pub type FollowMake = Box<dyn FnMut(&[Outcome]) -> Result<Option<Delivery>, Error> + Send>;

/// A second delivery in the transaction of the first, made from what became of that one's recipients: the report about
/// those who did not get it.
pub struct Follow {
    /// Accounts that it may write to.
    pub accounts: Vec<AccountId>,
    /// Makes it, if there is need; may run again after a conflict. What becomes of *its* recipients is told to its own
    /// `follow` only. A failure undoes the first delivery too.
    pub make: FollowMake,
}

/// One message for any number of recipients, all in one durable commit.
pub struct Delivery {
    /// The message, trace header fields included.
    pub message: Prepared,
    /// Local recipients; at most some thousands.
    pub recipients: Vec<Recipient>,
    /// INTERNALDATE and SAVEDATE.
    pub received: UnixTime,
    /// Beside them.
    pub extra: Option<Extra>,
    /// Behind them.
    pub follow: Option<Follow>,
}

/// Where a message went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Delivered {
    /// Mailbox.
    pub mailbox: MailboxId,
    /// Its UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// UID there.
    pub uid: Uid,
    /// EMAILID.
    pub email_id: EmailId,
    /// Modification sequence.
    pub modseq: ModSeq,
}

/// What became of a recipient.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Durable in that mailbox.
    Delivered(Delivered),
    /// The account's quota would be exceeded.
    OverQuota,
    /// There is no such mailbox.
    NoMailbox,
    /// There is no such account.
    NoAccount,
    /// UIDs or message ids are used up.
    Limit,
    /// A record of the account is damaged; nothing was written there.
    Damaged,
}

/// One outcome per recipient, in their order.
pub type RecipientOutcomes = Vec<Outcome>;

/// A message to be appended.
#[derive(Clone)]
pub struct NewMessage {
    /// The message.
    pub message: Prepared,
    /// System flags.
    pub flags: FlagSet,
    /// Keywords; unknown ones become known.
    pub keywords: Vec<Keyword>,
    /// INTERNALDATE.
    pub received: UnixTime,
    /// Annotations that it comes with (RFC 5257 §4.7).
    pub annotations: Vec<NewAnnotation>,
}

/// What APPEND did.
#[derive(Clone, PartialEq, Debug)]
pub struct Appended {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// Its UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// One per message, in order.
    pub uids: Vec<Uid>,
    /// Modification sequence of the commit.
    pub modseq: ModSeq,
}

impl Store {
    /// Stores a message once and shows it in the mailboxes of all recipients that can take it; one recipient's trouble
    /// never hinders the others. When nobody takes it and there is no extra, nothing is stored. A mailbox named twice
    /// gets it once.
    ///
    /// # Errors
    /// The engine's, and then nothing was delivered to anybody.
    pub fn deliver(&self, delivery: Delivery) -> Written<RecipientOutcomes> {
        let mut delivery = delivery;
        let mut accounts: Vec<AccountId> = delivery.recipients.iter().map(|one| one.account).collect();
        accounts.extend(delivery.follow.iter().flat_map(|follow| &follow.accounts));
        accounts.sort_unstable();
        accounts.dedup();
        self.transact(&accounts, move |tx, touched| deliver_followed(tx, &mut delivery, touched))
    }

    /// Runs `work` in one transaction with the deliveries that it makes: what ends in the queue and what is told of it are
    /// one commit. `accounts` are those that the deliveries may write to; `work` may run again after a conflict, and its
    /// failure undoes everything. What follows a delivery is made too. Answers the outcomes of each delivery.
    ///
    /// # Errors
    /// The engine's, and those of `work`.
    pub fn deliver_made(
        &self,
        accounts: &[AccountId],
        work: impl FnMut(&mut dyn Tx) -> Result<Vec<Delivery>, Error> + Send + 'static,
    ) -> Written<Vec<RecipientOutcomes>> {
        self.deliver_made_if(accounts, work, |_| Ok(()))
    }

    /// As [`Store::deliver_made`], if `holds` agrees with the outcomes; its failure undoes everything.
    ///
    /// # Errors
    /// The engine's, and those of `work` and `holds`.
    pub fn deliver_made_if(
        &self,
        accounts: &[AccountId],
        mut work: impl FnMut(&mut dyn Tx) -> Result<Vec<Delivery>, Error> + Send + 'static,
        holds: impl Fn(&[RecipientOutcomes]) -> Result<(), Error> + Send + 'static,
    ) -> Written<Vec<RecipientOutcomes>> {
        let mut accounts = [&[AccountId(0)], accounts].concat();
        accounts.sort_unstable();
        accounts.dedup();
        self.transact(&accounts, move |tx, touched| {
            let mut made = work(tx)?;
            let outcomes: Vec<RecipientOutcomes> = made
                .iter_mut()
                .map(|delivery| deliver_followed(tx, delivery, touched))
                .collect::<Result<_, Error>>()?;
            holds(&outcomes)?;
            Ok(outcomes)
        })
    }

    /// Adds messages to a mailbox, all or none (RFC 9051 §6.3.12, RFC 3502). `now` becomes their SAVEDATE.
    ///
    /// # Errors
    /// [`Error::NoMailbox`], [`Error::OverQuota`], [`Error::Limit`].
    pub fn append(
        &self,
        account: AccountId,
        to: Target,
        messages: Vec<NewMessage>,
        now: UnixTime,
    ) -> Written<Appended> {
        self.transact(&[account], move |tx, touched| {
            let mut ledger = Ledger::load(tx, account)?;
            let slot = ledger.open_target(tx, &to)?;
            let bytes = messages.iter().map(|new| u64::from(new.message.size())).sum();
            if !ledger.fits(messages.len() as u64, bytes) {
                return Err(Error::OverQuota);
            }
            let mut uids = Vec::with_capacity(messages.len());
            for new in &messages {
                uids.push(append_one(tx, &mut ledger, slot, new, now)?);
            }
            let open = ledger.at(slot);
            let (mailbox, uid_validity) = (open.id, open.value.uid_validity);
            let modseq = if messages.is_empty() { open.value.highest_modseq } else { ledger.stamp() };
            ledger.finish(tx, touched)?;
            Ok(Appended { mailbox, uid_validity, uids, modseq })
        })
    }
}

/// A delivery and what follows from its outcomes.
fn deliver_followed(
    tx: &mut dyn Tx,
    delivery: &mut Delivery,
    touched: &mut Touched,
) -> Result<RecipientOutcomes, Error> {
    let outcomes = deliver_one(tx, delivery, touched)?;
    if let Some(follow) = &mut delivery.follow
        && let Some(mut second) = (follow.make)(&outcomes)?
    {
        deliver_followed(tx, &mut second, touched)?;
    }
    Ok(outcomes)
}

fn deliver_one(
    tx: &mut dyn Tx,
    delivery: &mut Delivery,
    touched: &mut Touched,
) -> Result<RecipientOutcomes, Error> {
    let Delivery { message, recipients, received, extra, .. } = delivery;
    let mut order: Vec<usize> = (0..recipients.len()).collect();
    order.sort_by_key(|at| recipients[*at].account);
    let mut outcomes = vec![Outcome::NoAccount; recipients.len()];
    let mut plans = Vec::new();
    for group in order.chunk_by(|a, b| recipients[*a].account == recipients[*b].account) {
        plans.extend(plan(tx, message, recipients, group, &mut outcomes)?);
    }
    let extra_references = extra.as_ref().map_or(0, |extra| extra.references);
    if plans.is_empty() && extra_references == 0 {
        return Ok(outcomes);
    }
    let references = plans.len() as u32 + extra_references;
    let content = tx.append(message.packed(), references)?;
    for plan in plans {
        write(tx, plan, message, content, *received, &mut outcomes, touched)?;
    }
    if let Some(extra) = extra {
        (extra.write)(tx, content).map_err(|abort| match abort {
            Abort::Engine(error) => Error::Engine(error),
            Abort::Cancelled => Error::Cancelled,
        })?;
    }
    Ok(outcomes)
}

/// Puts one message into a mailbox; the quota has been looked at.
pub(crate) fn append_one(
    tx: &mut dyn Tx,
    ledger: &mut Ledger,
    slot: Slot,
    new: &NewMessage,
    now: UnixTime,
) -> Result<Uid, Error> {
    let account = ledger.id;
    let doc = ledger.new_doc()?;
    let uid = ledger.arrive(slot, new.flags, new.message.size())?;
    let keywords = ledger.intern(tx, slot, &new.keywords)?;
    let modseq = ledger.stamp();
    let content = tx.append(new.message.packed(), 1)?;
    let placed = threads::place(tx, account, doc, new.message.threading())?;
    let row = RowValue {
        doc,
        modseq,
        flags: new.flags,
        received: new.received,
        size: new.message.size(),
        saved: now,
        thread: placed.thread,
        keywords,
    };
    let mut value = Vec::with_capacity(64);
    row.encode(&mut value);
    let mailbox = ledger.at(slot).id;
    tx.put(&keys::row(account, mailbox, uid), &value)?;
    write_message(tx, account, doc, &new.message, content, &placed)?;
    annotation::arrive(tx, ledger, mailbox, uid, &new.annotations)?;
    Ok(uid)
}

/// What one account gets of a delivery.
struct Plan {
    ledger: Ledger,
    doc: EmailId,
    /// Recipients by their place in the delivery, with their mailbox.
    rows: Vec<(usize, Slot, Uid, Vec<u16>)>,
    flags: Vec<FlagSet>,
}

/// Decides what the recipients of one account get, without writing. None: nobody gets anything.
fn plan(
    tx: &dyn Tx,
    message: &Prepared,
    recipients: &[Recipient],
    group: &[usize],
    outcomes: &mut [Outcome],
) -> Result<Option<Plan>, Error> {
    let account = recipients[group[0]].account;
    let ledger = match Ledger::load(tx, account) {
        Ok(ledger) => ledger,
        Err(error) => {
            let outcome = Outcome::of(error)?;
            group.iter().for_each(|at| outcomes[*at] = outcome);
            return Ok(None);
        }
    };
    let mut plan = Plan { ledger, doc: EmailId(0), rows: Vec::with_capacity(group.len()), flags: Vec::new() };
    for at in group {
        match plan.add(tx, message, *at, &recipients[*at]) {
            Ok(()) => {}
            Err(error) => outcomes[*at] = Outcome::of(error)?,
        }
    }
    if plan.rows.is_empty() {
        return Ok(None);
    }
    match plan.ledger.new_doc() {
        Ok(doc) => plan.doc = doc,
        Err(error) => {
            let outcome = Outcome::of(error)?;
            plan.rows.iter().for_each(|(at, ..)| outcomes[*at] = outcome);
            return Ok(None);
        }
    }
    Ok(Some(plan))
}

impl Plan {
    fn add(
        &mut self,
        tx: &dyn Tx,
        message: &Prepared,
        at: usize,
        recipient: &Recipient,
    ) -> Result<(), Error> {
        let slot = match self.ledger.open_target(tx, &recipient.mailbox) {
            Err(Error::NoMailbox) if recipient.fallback == Fallback::Inbox => {
                self.ledger.open(tx, keys::INBOX)?
            }
            other => other?,
        };
        if let Some((_, _, uid, keywords)) = self.rows.iter().find(|(_, other, ..)| *other == slot) {
            let same = (at, slot, *uid, keywords.clone());
            self.rows.push(same);
            self.flags.push(recipient.flags);
            return Ok(());
        }
        if !self.ledger.fits(1, u64::from(message.size())) {
            return Err(Error::OverQuota);
        }
        let keywords = self.ledger.intern_some(tx, slot, &recipient.keywords)?;
        let uid = self.ledger.arrive(slot, recipient.flags, message.size())?;
        self.rows.push((at, slot, uid, keywords));
        self.flags.push(recipient.flags);
        Ok(())
    }
}

impl Outcome {
    /// What concerns one recipient only; other trouble undoes the delivery.
    fn of(error: Error) -> Result<Outcome, Error> {
        match error {
            Error::NoAccount => Ok(Outcome::NoAccount),
            Error::NoMailbox => Ok(Outcome::NoMailbox),
            Error::OverQuota => Ok(Outcome::OverQuota),
            Error::Limit(_) => Ok(Outcome::Limit),
            Error::Engine(engine::Error::Corrupt { .. }) => Ok(Outcome::Damaged),
            other => Err(other),
        }
    }
}

fn write(
    tx: &mut dyn Tx,
    plan: Plan,
    message: &Prepared,
    content: ContentId,
    received: UnixTime,
    outcomes: &mut [Outcome],
    touched: &mut Touched,
) -> Result<(), Error> {
    let Plan { mut ledger, doc, rows, flags } = plan;
    let account = ledger.id;
    let modseq = ledger.stamp();
    let placed = threads::place(tx, account, doc, message.threading())?;
    let mut value = Vec::with_capacity(64);
    let mut row = RowValue {
        doc,
        modseq,
        flags: FlagSet::NONE,
        received,
        size: message.size(),
        saved: received,
        thread: placed.thread,
        keywords: Vec::new(),
    };
    let mut written: Vec<Slot> = Vec::with_capacity(rows.len());
    for ((at, slot, uid, keywords), flags) in rows.into_iter().zip(flags) {
        let open = ledger.at(slot);
        outcomes[at] = Outcome::Delivered(Delivered {
            mailbox: open.id,
            uid_validity: open.value.uid_validity,
            uid,
            email_id: doc,
            modseq,
        });
        if written.contains(&slot) {
            continue;
        }
        written.push(slot);
        row.flags = flags;
        row.keywords = keywords;
        row.encode(&mut value);
        tx.put(&keys::row(account, open.id, uid), &value)?;
    }
    write_message(tx, account, doc, message, content, &placed)?;
    if written.len() > 1 {
        tx.put(&keys::references(account, doc), &keys::encode_u32(written.len() as u32))?;
    }
    ledger.finish(tx, touched)
}

/// A message of one account becomes one of another: the same content, in the threads that are there.
pub(crate) fn write_copy(
    tx: &mut dyn Tx,
    (from, old): (AccountId, EmailId),
    (account, doc): (AccountId, EmailId),
    placed: &Placed,
) -> Result<(), Error> {
    let hashes: Vec<u64> = placed.entries.iter().map(|(hash, _)| *hash).collect();
    let mut copied = None;
    tx.get_with(&keys::message(from, old), &mut |value| {
        let message = MessageValue::decode(value);
        copied = message.map(|message| (message.content, message.elsewhere(placed.thread, &hashes)));
    })?;
    let (content, value) = copied.ok_or_else(|| corrupt(from, "message", old))?;
    tx.refer(content, 1)?;
    tx.put(&keys::message(account, doc), &value)?;
    // A message from before there were such records has none; it is made when it is needed.
    if let Some(order) = tx.get(&keys::order(from, old))? {
        tx.put(&keys::order(account, doc), &order)?;
    }
    write_thread(tx, account, placed)
}

fn write_thread(tx: &mut dyn Tx, account: AccountId, placed: &Placed) -> Result<(), Error> {
    for (hash, entry) in &placed.entries {
        tx.put(&keys::thread(account, *hash), &entry.encode())?;
    }
    Ok(())
}

/// The message's own record and its entries in the thread table.
fn write_message(
    tx: &mut dyn Tx,
    account: AccountId,
    doc: EmailId,
    message: &Prepared,
    content: ContentId,
    placed: &Placed,
) -> Result<(), Error> {
    let hashes: Vec<u64> = placed.entries.iter().map(|(hash, _)| *hash).collect();
    let value = MessageValue::encode(content, message, placed.thread, &hashes);
    tx.put(&keys::message(account, doc), &value)?;
    tx.put(&keys::order(account, doc), message.order())?;
    write_thread(tx, account, placed)
}
