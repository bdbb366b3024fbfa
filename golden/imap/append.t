# APPEND (RFC 3501 §6.3.11; RFC 4315 §3; RFC 3502; RFC 7888; RFC 7889).
message_bytes_max: 40

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b APPEND nowhere {4}  # RFC 3501 §6.3.11
S: + Ready for literal data
C: a: b
S: b NO [TRYCREATE] There is no such mailbox
C: c APPEND INBOX (\Seen $x) "17-Jul-1996 02:44:25 -0700" {8}
S: + Ready for literal data
C< a: b\r\n\r\n\r\n
S: c OK [APPENDUID 1001 1] APPEND completed
C: d SELECT INBOX
S: * 1 EXISTS
S: * 1 RECENT
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 2] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $x)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $x \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 12] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: d OK [READ-WRITE] SELECT completed
C: e APPEND INBOX {7+}
C< x: y\r\n\n\r\n
S: * 2 EXISTS
S: * 2 RECENT
S: e OK [APPENDUID 1001 2] APPEND completed
C: f APPEND INBOX {41}  # refused before it is sent
C: g APPEND INBOX {41+}
S: f NO [TOOBIG] message too big
S: g NO [TOOBIG] message too big
C: 01234567890123456789012345678901234567890
C: h APPEND INBOX {3+}
C< a\0c\r\n
C: i APPEND INBOX (\Flagged) {6+}
S: h BAD NUL in a command
C< a: 1\r\n (\\Answered) {6+}\r\nb: 2\r\n\r\n
S: * 4 EXISTS
S: * 4 RECENT
S: i OK [APPENDUID 1001 3:4] APPEND completed
C: j FETCH 1:* (UID FLAGS INTERNALDATE)
C: k APPEND INBOX "99-Jul-1996 02:44:25 -0700" {3+}
S: * 1 FETCH (UID 1 FLAGS (\Seen \Recent $x) INTERNALDATE "17-Jul-1996 09:44:25 +0000")
S: * 2 FETCH (UID 2 FLAGS (\Recent) INTERNALDATE "14-Nov-2023 22:13:20 +0000")
S: * 3 FETCH (UID 3 FLAGS (\Flagged \Recent) INTERNALDATE "14-Nov-2023 22:13:20 +0000")
S: * 4 FETCH (UID 4 FLAGS (\Answered \Recent) INTERNALDATE "14-Nov-2023 22:13:20 +0000")
S: j OK FETCH completed
C: abc
S: k BAD expected a day that the month has at column 17: "99-Jul-1996 02:44:25 -0700" {3+}"
W: full
C: l APPEND INBOX {6+}
C< a: 1\r\n\r\n
C: m APPEND INBOX {0+}
S: l NO [OVERQUOTA] The quota is used up
C:
S: m NO [CANNOT] An empty message is no message
