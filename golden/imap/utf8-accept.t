# UTF8=ACCEPT (RFC 9755; RFC 6855).
messages: 1
mailboxes: Отправленные

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b LIST "" "*"
S: * LIST (\HasNoChildren) "/" INBOX
S: * LIST (\HasNoChildren) "/" "&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-"
S: b OK LIST completed
C: d ENABLE UTF8=ACCEPT X-UNKNOWN
S: * ENABLED UTF8=ACCEPT
S: d OK ENABLE completed
C: e LIST "" "*"
S: * LIST (\HasNoChildren) "/" INBOX
S: * LIST (\HasNoChildren) "/" "Отправленные"
S: e OK LIST completed
C: f STATUS "Отправленные" (MESSAGES)
S: * STATUS "Отправленные" (MESSAGES 0)
S: f OK STATUS completed
C: g CREATE "&BB4-"  # no modified UTF-7 any more
S~ g OK [MAILBOXID (F*)] CREATE completed
C: h LIST "" "&*"
S: * LIST (\HasNoChildren) "/" "&BB4-"
S: h OK LIST completed
C: i APPEND INBOX UTF8 (~{15+}
C< Subject: \xc3\xa4\r\n\r\n)\r\n
S: i OK [APPENDUID 1001 2] APPEND completed
C: j APPEND INBOX ~{15+}
C< Subject: \xc3\xb6\r\n\r\n\r\n
S: j OK [APPENDUID 1001 3] APPEND completed
C: k SELECT INBOX
S: * 3 EXISTS
S: * 3 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 4] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 16] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: k OK [READ-WRITE] SELECT completed
C: l SEARCH SUBJECT "ä"  # §3: UTF-8 in quoted strings
S: * SEARCH 2
S: l OK SEARCH completed
C: m SEARCH CHARSET UTF-8 ALL  # §3
S: m BAD CHARSET can't be given after ENABLE UTF8=ACCEPT
C: n FETCH 2 BODY.PEEK[HEADER]
S: * 2 FETCH (BODY[HEADER] {15}
S: Subject: ä
S:
S: )
S: n OK FETCH completed
C< o SEARCH SUBJECT "\xe4"\r\n
S~ o BAD expected UTF-8 in a quoted string at column *
C< p SEARCH SUBJECT "\\\\\xe4"\r\n
S~ p BAD expected UTF-8 in a quoted string at column *
