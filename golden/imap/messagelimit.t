# MESSAGELIMIT (RFC 9738).
messages: 6
mailboxes: other
message_limit: 3

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY * MESSAGELIMIT=3] *
C: b SELECT INBOX
S: * 6 EXISTS
S: * 6 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 7] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 18] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: b OK [READ-WRITE] SELECT completed
C: 03 FETCH 2:5 (UID)  # §3.1: the highest
S: * 3 FETCH (UID 3)
S: * 4 FETCH (UID 4)
S: * 5 FETCH (UID 5)
S: 03 OK [MESSAGELIMIT 3 3] FETCH completed with a part of the messages
C: c FETCH 2:4 (UID)  # not more than the limit
S: * 2 FETCH (UID 2)
S: * 3 FETCH (UID 3)
S: * 4 FETCH (UID 4)
S: c OK FETCH completed
C: 04 UID SEARCH UID 2:5 UNDELETED  # what is searched counts, not what is found
S: * SEARCH 3 4 5
S: 04 OK [MESSAGELIMIT 3 3] SEARCH completed with a part of the messages
C: d SEARCH 1:3 UNDELETED
S: * SEARCH 1 2 3
S: d OK SEARCH completed
C: e SEARCH ALL  # numbers are those of the whole mailbox
S: * SEARCH 4 5 6
S: e OK [MESSAGELIMIT 3 4] SEARCH completed with a part of the messages
C: D0004 UID SEARCH RETURN (SAVE) UID 1:5 UNDELETED  # §3.4: what is saved is cut too
S: D0004 OK [MESSAGELIMIT 3 3] SEARCH completed with a part of the messages
C: f SEARCH RETURN (ALL) $
S: * ESEARCH (TAG "f") ALL 3:5
S: f OK SEARCH completed
C: 12 UID SEARCH UIDAFTER 4 UNDELETED  # §3.2
S: * SEARCH 5 6
S: 12 OK SEARCH completed
C: g UID SEARCH UIDBEFORE 3
S: * SEARCH 1 2
S: g OK SEARCH completed
C: h UID SEARCH UIDBEFORE 1
S: * SEARCH
S: h OK SEARCH completed
C: i UID SEARCH UIDAFTER 4294967295
S: * SEARCH
S: i OK SEARCH completed
C: k SORT (ARRIVAL) UTF-8 ALL  # §3.3: a part of the messages has no order
S: k NO [MESSAGELIMIT 3] Too many messages to put in order, name fewer
C: l UID THREAD REFERENCES UTF-8 UID 1:4
S: l NO [MESSAGELIMIT 3] Too many messages to put in order, name fewer
C: m SORT (REVERSE ARRIVAL) UTF-8 2:4
S: * SORT 4 3 2
S: m OK SORT completed
C: 05 UID COPY 1:6 other  # §3.1: all or nothing
S: 05 NO [MESSAGELIMIT 3 4] Too many messages to copy, try a smaller subset
C: j STATUS other (MESSAGES)
S: * STATUS "other" (MESSAGES 0)
S: j OK STATUS completed
C: 07 UID STORE 1:5 +FLAGS (\Deleted)
S: * 3 FETCH (UID 3 FLAGS (\Deleted \Recent))
S: * 4 FETCH (UID 4 FLAGS (\Deleted \Recent))
S: * 5 FETCH (UID 5 FLAGS (\Deleted \Recent))
S: 07 OK [MESSAGELIMIT 3 3] STORE completed with a part of the messages
C: k UID STORE 1:2 +FLAGS.SILENT (\Deleted)
S: k OK STORE completed
C: 08 UID EXPUNGE 1:6  # those \Deleted count, not those named
S: * 3 EXPUNGE
S: * 3 EXPUNGE
S: * 3 EXPUNGE
S: 08 OK [MESSAGELIMIT 3 3] EXPUNGE completed with a part of the messages
C: 09 UID EXPUNGE 1:6
S: * 1 EXPUNGE
S: * 1 EXPUNGE
S: 09 OK EXPUNGE completed
W: deliver INBOX
W: deliver INBOX
W: deliver INBOX
W: deliver INBOX
C: l NOOP
S: * 5 EXISTS
S: * 5 RECENT
S: l OK NOOP completed
C: 10 UID FETCH 1:* (FLAGS) (PARTIAL -1:-4)  # places: no work is done
S: 10 NO [MESSAGELIMIT 3] More messages than one command may be about
C: m UID FETCH 1:* (FLAGS) (PARTIAL -1:-3)
S: * 3 FETCH (UID 8 FLAGS (\Recent))
S: * 4 FETCH (UID 9 FLAGS (\Recent))
S: * 5 FETCH (UID 10 FLAGS (\Recent))
S: m OK FETCH completed
W: expunge INBOX 9
C: 11 FETCH 1:* (UID)  # two response codes: the limit is told before
S: * 3 FETCH (UID 8)
S: * 5 FETCH (UID 10)
S: * NO [MESSAGELIMIT 3 8] Only a part of the messages was worked on
S: 11 NO [EXPUNGEISSUED] Some of the messages no longer exist
C: n NOOP
S: * 4 EXPUNGE
S: n OK NOOP completed
C: 06 UID MOVE 1:* other
S: * OK [COPYUID 1002 7:8,10 1:3] Moved UIDs
S: * 2 EXPUNGE
S: * 2 EXPUNGE
S: * 2 EXPUNGE
S: 06 OK [MESSAGELIMIT 3 7] MOVE completed with a part of the messages
C: o APPEND other {1+}  # §3.1: MULTIAPPEND is all or nothing
C: a {1+}
C: b {1+}
C: c {1+}
C: d
S: o NO [MESSAGELIMIT 3] Too many messages to append
W: deliver INBOX
W: deliver INBOX
W: deliver INBOX
C: p STORE 1:* +FLAGS.SILENT (\Deleted)
S: * 4 EXISTS
S: * 4 RECENT
S: p OK STORE completed
C: q FETCH 4 (MODSEQ)
S~ * OK [HIGHESTMODSEQ *] Modification sequences are told from now on
S~ * 4 FETCH (MODSEQ (*))
S: q OK FETCH completed
C: r STORE 1:4 +FLAGS.SILENT (\Deleted)
S~ * 2 FETCH (UID 11 MODSEQ (*))
S~ * 3 FETCH (UID 12 MODSEQ (*))
S~ * 4 FETCH (UID 13 MODSEQ (*))
S: r OK [MESSAGELIMIT 3 11] STORE completed with a part of the messages
C: s EXPUNGE  # never limited
S: * 1 EXPUNGE
S: * 1 EXPUNGE
S: * 1 EXPUNGE
S: * 1 EXPUNGE
S~ s OK [HIGHESTMODSEQ *] EXPUNGE completed
