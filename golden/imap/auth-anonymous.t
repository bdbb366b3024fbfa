# ANONYMOUS (RFC 4505): where it is configured, for reading and for nothing else.
mechanisms: ANONYMOUS
messages: 1

S~ * OK [CAPABILITY * AUTH=ANONYMOUS] *
C: a AUTHENTICATE ANONYMOUS Z3Vlc3RAZXhhbXBsZS50ZXN0
S~ a OK [CAPABILITY *] AUTHENTICATE completed
C: b SELECT INBOX  # as EXAMINE
S: * 1 EXISTS
S: * 1 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 2] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS ()] Read-only mailbox
S~ * OK [HIGHESTMODSEQ *
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: b OK [READ-ONLY] EXAMINE completed
C: c FETCH 1 (BODY[TEXT]<0.3> FLAGS)
S~ * 1 FETCH (*
S~ *
S: c OK FETCH completed
C: d STORE 1 +FLAGS (\Seen)
S: d NO [NOPERM] Nobody in particular may only read here
C: e APPEND INBOX {2+}
C: hi
S: e NO [NOPERM] Nobody in particular may only read here
C: f CREATE new
S: f NO [NOPERM] Nobody in particular may only read here
C: g COPY 1 INBOX
S: g NO [NOPERM] Nobody in particular may only read here
