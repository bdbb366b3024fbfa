# RFC 9738 §3.1: the examples 03, 04, 05 and those of MOVE. Departures: the limit is 3 messages where the RFC has 1,000, and the
# messages that are worked on are told in ascending order, the highest UIDs all the same.
message_limit: 3
mailboxes: Trash
messages: 8

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY * MESSAGELIMIT=3] *
C: b SELECT INBOX
S~ * 8 EXISTS
S~ * 8 RECENT
S~ * OK [UNSEEN *
S~ * OK [UIDVALIDITY *
S~ * OK [UIDNEXT *
S~ * FLAGS *
S~ * OK [PERMANENTFLAGS *
S~ * OK [HIGHESTMODSEQ *
S~ * OK [MAILBOXID *
S~ * OK [ANNOTATIONS *
S~ b OK *
C: 03 FETCH 2:7 (UID FLAGS)
S: * 5 FETCH (UID 5 FLAGS (\Recent))
S: * 6 FETCH (UID 6 FLAGS (\Recent))
S: * 7 FETCH (UID 7 FLAGS (\Recent))
S: 03 OK [MESSAGELIMIT 3 5] FETCH completed with a part of the messages
C: 04 UID SEARCH UID 2:7 UNDELETED
S: * SEARCH 5 6 7
S: 04 OK [MESSAGELIMIT 3 5] SEARCH completed with a part of the messages
C: 05 UID COPY 2:7 "Trash"
S: 05 NO [MESSAGELIMIT 3 5] Too many messages to copy, try a smaller subset
C: 06 UID MOVE 2:7 "Trash"
S: * OK [COPYUID 1002 5:7 1:3] Moved UIDs
S: * 5 EXPUNGE
S: * 5 EXPUNGE
S: * 5 EXPUNGE
S: 06 OK [MESSAGELIMIT 3 5] MOVE completed with a part of the messages
C: 07 UID MOVE 2:7 "Trash"
S: * OK [COPYUID 1002 2:4 4:6] Moved UIDs
S: * 2 EXPUNGE
S: * 2 EXPUNGE
S: * 2 EXPUNGE
S: 07 OK MOVE completed
