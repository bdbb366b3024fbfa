# UNAUTHENTICATE (RFC 8437).
tls: implicit
messages: 1

S~ * OK [CAPABILITY IMAP4rev1 * AUTH=*] *
C: a UNAUTHENTICATE  # §2: only after a log-in
S: a BAD UNAUTHENTICATE needs a log-in first
C: a LOGIN joe secret
S~ a OK [CAPABILITY * UNAUTHENTICATE *] *
C: b ENABLE CONDSTORE UTF8=ACCEPT
S: * ENABLED CONDSTORE UTF8=ACCEPT
S: b OK ENABLE completed
C: c SELECT INBOX
S: * 1 EXISTS
S: * 1 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 2] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 12] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: * OK [URLMECH INTERNAL] Mechanisms for URLAUTH
S: c OK [READ-WRITE] SELECT completed
C: d UNAUTHENTICATE
S~ d OK [CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE LANGUAGE IDLE AUTH=*] UNAUTHENTICATE completed
C: e FETCH 1 (FLAGS)  # nothing is selected, nobody is logged in
S: e BAD FETCH needs a log-in first
C: f LOGIN ann secret
S~ f OK [CAPABILITY * UNAUTHENTICATE *] *
C: g FETCH 1 (FLAGS)
S: g BAD FETCH needs a selected mailbox
C: h EXAMINE INBOX
S: * 1 EXISTS
S: * 0 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 2] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS ()] Read-only mailbox
S: * OK [HIGHESTMODSEQ 12] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: * OK [URLMECH INTERNAL] Mechanisms for URLAUTH
S: h OK [READ-ONLY] EXAMINE completed
C: i FETCH 1 (FLAGS UID)  # §2: what was enabled is enabled no more
S: * 1 FETCH (FLAGS () UID 1)
S: i OK FETCH completed
C: j ENABLE UTF8=ACCEPT
S: * ENABLED UTF8=ACCEPT
S: j OK ENABLE completed
