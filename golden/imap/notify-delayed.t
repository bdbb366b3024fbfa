# NOTIFY's other ways: SELECTED-DELAYED (RFC 5465 §6.1.2), no SELECTED (§3.1), refusals, overflow (§5.8), ENABLE METADATA (RFC 5464 §4.4.2).
mailboxes: misc
messages: 3

S~ * OK [CAPABILITY *] *
C: a LOGIN bob secret
S~ a OK [CAPABILITY *] *
C: b SELECT INBOX
S~ * 3 EXISTS
S~ * 3 RECENT
S~ * OK [UNSEEN 1] *
S~ * OK [UIDVALIDITY 1001] *
S~ * OK [UIDNEXT 4] *
S~ * FLAGS *
S~ * OK [PERMANENTFLAGS *] *
S~ * OK [HIGHESTMODSEQ *] *
S~ * OK [MAILBOXID *] *
S~ * OK [ANNOTATIONS *] Largest annotation
S: b OK [READ-WRITE] SELECT completed
C: c NOTIFY SET (SELECTED-DELAYED (MessageNew (UID) MessageExpunge)) (INBOXES NONE)
S: c OK NOTIFY completed
W: expunge INBOX 1  # withheld until a command allows it
W: deliver INBOX
S: * 4 EXISTS
S: * 4 RECENT
S: * 4 FETCH (UID 4)
C: d FETCH 2 UID
S: * 2 FETCH (UID 2)
S: d OK FETCH completed
C: d NOOP
S: * 1 EXPUNGE
S: d OK NOOP completed
C: e NOTIFY SET (MAILBOXES misc (MessageNew MessageExpunge))  # no SELECTED: nothing of it
S: e OK NOTIFY completed
W: deliver INBOX
W: expunge INBOX 2
C: f NOOP
S: f OK NOOP completed
C: f STORE 2 +FLAGS.SILENT (\Deleted)
S: f OK STORE completed
C: f EXPUNGE  # the client's own doings have to be told
S: * 1 EXPUNGE
S: * 1 EXPUNGE
S: * 2 EXISTS
S: * 2 RECENT
S: f OK EXPUNGE completed
W: deliver misc
S: * STATUS "misc" (UIDNEXT 2 MESSAGES 1)
C: g NOTIFY SET (SELECTED (MessageNew)) (PERSONAL (MailboxName))  # §5
S: g BAD expected MessageNew and MessageExpunge together at column 24: "(MessageNew)) (PERSONAL (Mailbox"
C: g NOTIFY SET (SELECTED (FlagChange))
S: g BAD expected MessageNew and MessageExpunge together at column 24: "(FlagChange))"
C: g NOTIFY SET (SELECTED (MailboxName))  # §6.1
S: g BAD expected events of messages for the selected mailbox at column 24: "(MailboxName))"
C: g NOTIFY SET (SELECTED NONE) (SELECTED-DELAYED NONE)
S: g BAD expected one of SELECTED and SELECTED-DELAYED at column 14: "(SELECTED NONE) (SELECTED-DELAYE"
C: g NOTIFY SET (PERSONAL (MessageNew (UID) MessageExpunge))
S: g BAD expected data items for the selected mailbox only at column 24: "(MessageNew (UID) MessageExpunge"
C: g NOTIFY SET (PERSONAL (ServerShutdown))  # §3.1: NO, and what there is
S: g NO [BADEVENT (MessageNew MessageExpunge FlagChange AnnotationChange MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange)] There is no such event here
C: g1 NOTIFY SET (selected (MessageNew MessageExpunge MessageRead))  # the same of the selected mailbox
S: g1 NO [BADEVENT (MessageNew MessageExpunge FlagChange AnnotationChange MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange)] There is no such event here
C: g NOTIFY SET (SUBTREE-ONE misc (MailboxName))
S: g BAD SUBTREE-ONE belongs to ESEARCH
C: g NOTIFY
S: g BAD expected a space at column 9
C: h NOTIFY SET (PERSONAL (MailboxName))
S: h OK NOTIFY completed
S2~ * OK [CAPABILITY *] *
C2: a LOGIN bob secret
S2~ a OK [CAPABILITY *] *
C2: b ENABLE METADATA
S2: * ENABLED METADATA
S2: b OK ENABLE completed
C: i SETMETADATA misc (/shared/comment "x")
S: i OK SETMETADATA completed
W2:
C2: c NOOP  # RFC 5464 §4.4.2: with a command
S2: * METADATA "misc" /shared/comment
S2: c OK NOOP completed
C2: d SETMETADATA misc (/shared/comment "y")
S2: d OK SETMETADATA completed
C2: d NOOP
S2: d OK NOOP completed
W: deliver misc 101
S: * OK [NOTIFICATIONOVERFLOW] Too much has happened; ask again with NOTIFY
C2: e CREATE another
S2~ e OK *
W:
C: j NOOP
S: j OK NOOP completed
