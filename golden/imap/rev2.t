# IMAP4rev2 by ENABLE (RFC 9051, appendices A and E).
messages: 3
mailboxes: Отправленные/2024

S~ * OK [CAPABILITY IMAP4rev1 IMAP4rev2 *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY IMAP4rev1 IMAP4rev2 *] *
C: b LIST "" "%"
S: * LIST (\HasNoChildren) "/" INBOX
S: * LIST (\HasChildren) "/" "&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-"
S: b OK LIST completed
C: c ENABLE IMAP4rev2
S: * ENABLED IMAP4rev2
S: c OK ENABLE completed
C: d LIST "" "%"
S: * LIST (\HasNoChildren) "/" INBOX
S: * LIST (\HasChildren) "/" "Отправленные"
S: d OK LIST completed
C: e LIST "" ""
S: * LIST (\Noselect) "/" ""
S: e OK LIST completed
C: f SELECT inbox  # §6.3.2: LIST; appendix E (11), (12): neither RECENT nor UNSEEN
S: * 3 EXISTS
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 4] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 16] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: * LIST () "/" INBOX
S: f OK [READ-WRITE] SELECT completed
C: g FETCH 1 (FLAGS)  # no \Recent
S: * 1 FETCH (FLAGS ())
S: g OK FETCH completed
C: h SEARCH UNSEEN  # appendix E (4)
S: * ESEARCH (TAG "h") ALL 1:3
S: h OK SEARCH completed
C: i UID SEARCH FLAGGED
S: * ESEARCH (TAG "i") UID
S: i OK SEARCH completed
C: j SEARCH SUBJECT "сообщение"  # UTF-8 without CHARSET
S: * ESEARCH (TAG "j")
S: j OK SEARCH completed
C: k SEARCH CHARSET UTF-8 RETURN (COUNT) ALL
S~ k BAD *
C: l SEARCH RETURN (COUNT) CHARSET UTF-8 ALL
S: * ESEARCH (TAG "l") COUNT 3
S: l OK SEARCH completed
C: m SEARCH RETURN (SAVE) ALL
S: m OK SEARCH completed
C: n SEARCH NEW  # appendix E (12)
S: n BAD SEARCH for RECENT, NEW and OLD is not in IMAP4rev2
C: o STATUS INBOX (RECENT)
S: o BAD STATUS RECENT is not in IMAP4rev2
C: p STATUS INBOX (MESSAGES DELETED SIZE)
S~ * STATUS INBOX (MESSAGES 3 DELETED 0 SIZE *)
S: p OK STATUS completed
C: q CHECK  # appendix E (17)
S: q BAD CHECK is not in IMAP4rev2
C: r LSUB "" "*"  # appendix E (19)
S: r BAD LSUB is not in IMAP4rev2
C: s FETCH 1 (UID RFC822.TEXT)  # appendix E (18)
S: s BAD FETCH RFC822.TEXT is not in IMAP4rev2
C: t FETCH 1 (RFC822.SIZE BINARY.SIZE[1])
S~ * 1 FETCH (RFC822.SIZE * BINARY.SIZE[1] 8)
S: t OK FETCH completed
C: u LIST "" "*" RETURN (STATUS (RECENT))
S: u BAD STATUS RECENT is not in IMAP4rev2
S2~ * OK [CAPABILITY *] *
C2: a LOGIN joe secret
S2~ a OK [CAPABILITY *] *
C2: b SELECT INBOX
S2~ * 3 EXISTS
S2: * 0 RECENT
S2: * OK [UNSEEN 1] Message 1 is the first unseen
S2: * OK [UIDVALIDITY 1001] UIDs are valid
S2: * OK [UIDNEXT 4] Predicted next UID
S2: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S2: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S2: * OK [HIGHESTMODSEQ 16] Highest modification sequence
S2: * OK [MAILBOXID (F1)] Id of this mailbox
S2~ * OK [ANNOTATIONS *] Largest annotation
S2: b OK [READ-WRITE] SELECT completed
C2: c STORE 2 +FLAGS.SILENT (\Flagged)
S2: c OK STORE completed
W: deliver INBOX
C: v NOOP  # appendix E (21): UID in every FETCH; no RECENT
S: * 4 EXISTS
S: * 2 FETCH (UID 2 FLAGS (\Flagged))
S: v OK NOOP completed
C: w CREATE "café"  # §6.3.4: kept in normalisation form C
S: * LIST () "/" "café" ("OLDNAME" ("café"))
S~ w OK [MAILBOXID (F*)] CREATE completed
C: x DELETE "café"
S: * LIST (\NonExistent) "/" "café" ("OLDNAME" ("café"))
S: x OK DELETE completed
C: y CREATE "café"
S: * LIST () "/" "café" ("OLDNAME" ("café"))
S~ y OK [MAILBOXID (F*)] CREATE completed
C: z EXAMINE "café"
S: * OK [CLOSED] The mailbox selected before is closed
S: * 0 EXISTS
S~ * OK [UIDVALIDITY *] UIDs are valid
S: * OK [UIDNEXT 1] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS ()] Read-only mailbox
S~ * OK [HIGHESTMODSEQ *] Highest modification sequence
S~ * OK [MAILBOXID (F*)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: * LIST () "/" "café" ("OLDNAME" ("café"))
S: z OK [READ-ONLY] EXAMINE completed
C: aa RENAME "café" tea
S: * LIST () "/" "tea" ("OLDNAME" ("café"))
S: aa OK RENAME completed
