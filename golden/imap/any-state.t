# CAPABILITY, NOOP, ID, LOGOUT and states (RFC 9051 §3, §6.1; RFC 2971).

S~ * OK [CAPABILITY *] *
C: a CAPABILITY
S: * CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-1 AUTH=CRAM-MD5 AUTH=PLAIN AUTH=LOGIN
S: a OK CAPABILITY completed
C: b NOOP
S: b OK NOOP completed
C: c ID ("name" "client" "os" NIL)
S: * ID ("name" "Troika")
S: c OK ID completed
C: d SELECT INBOX  # RFC 3501 §3: BAD in the wrong state
S: d BAD SELECT needs a log-in first
C: e FETCH 1 FLAGS  # RFC 3501 §3
S: e BAD FETCH needs a log-in first
C: f XYZZY
S: f BAD unknown command at column 3: "XYZZY"
C: g  # no tag: untagged BAD (RFC 9051 §7.1.3)
S: * BAD expected a tag and a space at column 1
C: NOOP
S: * BAD expected a tag and a space at column 1
C:
S: * BAD expected a tag and a space at column 1
C: h NOOP now  # the place is named
S: h BAD expected the end of the command at column 7: " now"
C: i LOGIN joe secret
S~ i OK [CAPABILITY *] *
C: j CAPABILITY
S: * CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE NAMESPACE CHILDREN UNSELECT UIDPLUS MOVE MULTIAPPEND ESEARCH SEARCHRES WITHIN CONDSTORE QRESYNC SPECIAL-USE CREATE-SPECIAL-USE LIST-EXTENDED LIST-STATUS STATUS=SIZE OBJECTID SAVEDATE UNAUTHENTICATE COMPRESS=DEFLATE BINARY PREVIEW REPLACE PARTIAL QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE QUOTA=RES-MAILBOX UTF8=ACCEPT UIDONLY UIDBATCHES INPROGRESS METADATA LIST-METADATA APPENDLIMIT=52428800 SAVELIMIT=100000
S: j OK CAPABILITY completed
C: k LOGIN joe secret
S: k BAD LOGIN is not allowed after the log-in
C: l AUTHENTICATE PLAIN
S: l BAD AUTHENTICATE is not allowed after the log-in
C: m STARTTLS
S: m BAD STARTTLS is not allowed after the log-in
C: n CLOSE
S: n BAD CLOSE needs a selected mailbox
C: o NAMESPACE
S: * NAMESPACE (("" "/")) NIL NIL
S: o OK NAMESPACE completed
C: p ENABLE CONDSTORE X-UNKNOWN
S: * ENABLED CONDSTORE
S: p OK ENABLE completed
C: q ENABLE CONDSTORE  # RFC 5161 §3.2: only what is newly enabled
S: * ENABLED
S: q OK ENABLE completed
C: r LOGOUT
S: * BYE Logging out
S: r OK LOGOUT completed
E:
