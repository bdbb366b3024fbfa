# PREVIEW (RFC 8970).
messages: 1

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b APPEND INBOX {106+}
C< Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n<p>Gr\xc3\xbc\xc3\x9fe <b>an</b> alle</p>\r\n\r\n
S: b OK [APPENDUID 1001 2] APPEND completed
C: c APPEND INBOX {66+}
C< Content-Type: image/x\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n\r\n
S: c OK [APPENDUID 1001 3] APPEND completed
C: d APPEND INBOX {219+}
C< Subject: long\r\n\r\nword word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word \r\n\r\n
S: d OK [APPENDUID 1001 4] APPEND completed
C: e APPEND INBOX {70018+}
C< Subject: large\r\n\r\n\{70000:x}\r\n
S: e OK [APPENDUID 1001 5] APPEND completed
C: f SELECT INBOX
S: * 5 EXISTS
S: * 5 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 6] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 16] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: f OK [READ-WRITE] SELECT completed
C: g FETCH 1 (PREVIEW)  # §3.2
S: * 1 FETCH (PREVIEW "body 1")
S: g OK FETCH completed
C: h FETCH 2 (RFC822.SIZE PREVIEW)  # §3.3: UTF-8, without markup
S: * 2 FETCH (RFC822.SIZE 106 PREVIEW {15}
S: Grüße an alle)
S: h OK FETCH completed
C: i FETCH 3 PREVIEW  # §3.2: nothing to show is an empty string
S: * 3 FETCH (PREVIEW "")
S: i OK FETCH completed
C: j FETCH 4 PREVIEW  # §3.3: 200 characters
S: * 4 FETCH (PREVIEW "word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word")
S: j OK FETCH completed
C: k FETCH 1,5 (PREVIEW (LAZY))  # §4.1: not what takes long
S: * 1 FETCH (PREVIEW "body 1")
S: * 5 FETCH (PREVIEW NIL)
S: k OK FETCH completed
C: l FETCH 5 (PREVIEW UID)
S: * 5 FETCH (PREVIEW "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" UID 5)
S: l OK FETCH completed
C: m FETCH 2 (FLAGS)  # nothing was read
S: * 2 FETCH (FLAGS (\Recent))
S: m OK FETCH completed
