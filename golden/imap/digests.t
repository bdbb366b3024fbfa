# ENVELOPE, BODY and BODYSTRUCTURE out of the store's digest: the content is not touched.
world: mime
digests: yes

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b SELECT INBOX
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
S: b OK [READ-WRITE] SELECT completed
C: c FETCH 1 (ENVELOPE BODY)
S: * 1 FETCH (ENVELOPE (NIL "parts" (("Fred" NIL "fred" "example.test")) (("Fred" NIL "fred" "example.test")) (("Fred" NIL "fred" "example.test")) NIL NIL NIL NIL NIL) BODY (("text" "plain" ("charset" "utf-8") NIL NIL "7BIT" 5 0)("message" "rfc822" NIL NIL NIL "7BIT" 51 (NIL "inner" ((NIL NIL "in" "example.test")) ((NIL NIL "in" "example.test")) ((NIL NIL "in" "example.test")) NIL NIL NIL NIL NIL) ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 10 0) 3) "mixed"))
S: c OK FETCH completed
C: d FETCH 1 (BODYSTRUCTURE BODY.PEEK[TEXT]<0.3>)
S: * 1 FETCH (BODYSTRUCTURE (("text" "plain" ("charset" "utf-8") NIL NIL "7BIT" 5 0 NIL NIL NIL NIL)("message" "rfc822" NIL NIL NIL "7BIT" 51 (NIL "inner" ((NIL NIL "in" "example.test")) ((NIL NIL "in" "example.test")) ((NIL NIL "in" "example.test")) NIL NIL NIL NIL NIL) ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 10 0 NIL NIL NIL NIL) 3 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL) BODY[TEXT]<0> {3}
S: pre)
S: d OK FETCH completed
W: corrupt INBOX 1
C: e FETCH 1 ENVELOPE
S: * 1 FETCH (ENVELOPE (NIL "parts" (("Fred" NIL "fred" "example.test")) (("Fred" NIL "fred" "example.test")) (("Fred" NIL "fred" "example.test")) NIL NIL NIL NIL NIL))
S: e OK FETCH completed
C: f FETCH 1 (FLAGS BODY[])
S: * NO [CORRUPTION] The message with UID 1 can't be read
S: f NO [CORRUPTION] Some messages can't be read
