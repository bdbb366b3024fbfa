# SORT (RFC 5256), SORT=DISPLAY (RFC 5957), ESORT (RFC 5267 §3).
world: sort

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY * SORT SORT=DISPLAY ESORT *] *
C: b SELECT INBOX
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
S: b OK [READ-WRITE] SELECT completed
C: A283 SORT (SUBJECT REVERSE DATE) UTF-8 ALL      # the second example of RFC 5256
S: * SORT 5 3 4 1 2
S: A283 OK SORT completed
C: A284 SORT (SUBJECT) US-ASCII TEXT "not in mailbox"
S: * SORT
S: A284 OK SORT completed
C: c UID SORT (REVERSE DATE) UTF-8 SUBJECT "b"
S: * SORT 4 1 2
S: c OK SORT completed
C: d SORT (FROM) UTF-8 ALL                         # local part, whatever the case
S: * SORT 4 2 3 5 1
S: d OK SORT completed
C: e SORT (DISPLAYFROM) UTF-8 ALL                  # RFC 5957 §3: the name, else the address
S: * SORT 4 2 1 3 5
S: e OK SORT completed
C: f SORT (REVERSE SIZE) UTF-8 1:3                 # equal ones stay in their order (RFC 5256 §3, REVERSE)
S~ * SORT *
S: f OK SORT completed
C: E01 UID SORT RETURN () (REVERSE DATE) UTF-8 UNDELETED UNKEYWORD $Junk    # RFC 5267 §3.3
S: * ESEARCH (TAG "E01") UID ALL 5,4,3,1:2
S: E01 OK SORT completed
C: g SORT RETURN (MIN MAX COUNT) (SUBJECT DATE) UTF-8 ALL
S: * ESEARCH (TAG "g") MIN 3 MAX 4 COUNT 5
S: g OK SORT completed
C: h UID SORT RETURN (PARTIAL 2:3 COUNT) (DATE) UTF-8 ALL
S: * ESEARCH (TAG "h") UID PARTIAL (2:3 1,3) COUNT 5
S: h OK SORT completed
C: i UID SORT RETURN (PARTIAL -1:-2) (DATE) UTF-8 ALL
S: * ESEARCH (TAG "i") UID PARTIAL (-1:-2 4:5)
S: i OK SORT completed
C: j UID SORT RETURN (PARTIAL 6:9) (DATE) UTF-8 ALL
S: * ESEARCH (TAG "j") UID PARTIAL (6:9 NIL)
S: j OK SORT completed
C: k SORT RETURN (ALL COUNT) (DATE) UTF-8 FROM nobody   # RFC 4731 §3.1: nothing found
S: * ESEARCH (TAG "k") COUNT 0
S: k OK SORT completed
C: l UID SORT RETURN (SAVE) (DATE) UTF-8 SUBJECT a      # RFC 5182
S: l OK SORT completed
C: m UID SEARCH $
S: * SEARCH 3 5
S: m OK SEARCH completed
C: n UID SORT RETURN (SAVE MIN) (DATE) UTF-8 ALL
S: * ESEARCH (TAG "n") UID MIN 2
S: n OK SORT completed
C: o UID SEARCH $
S: * SEARCH 2
S: o OK SEARCH completed
C: p SORT (DATE) UTF-8 MODSEQ 1                         # RFC 7162 §3.1.9
S: * OK [HIGHESTMODSEQ 16] Modification sequences are told from now on
S: * SORT 2 1 3 4 5 (MODSEQ 16)
S: p OK SORT completed
C: q SORT RETURN (ALL) (REVERSE DATE) UTF-8 MODSEQ 1    # RFC 7162 §3.1.10
S: * ESEARCH (TAG "q") ALL 5,4,3,1:2 MODSEQ 16
S: q OK SORT completed
C: r SORT RETURN (MIN) (DATE) UTF-8 MODSEQ 1            # RFC 4731 §3.2: of that message
S: * ESEARCH (TAG "r") MIN 2 MODSEQ 13
S: r OK SORT completed
C: s SORT (DATE) KLINGON ALL
S~ s NO [BADCHARSET (US-ASCII UTF-8 *
C: t SORT (BOGUS) UTF-8 ALL
S~ t BAD expected a sort key at column 9: *
C: u SORT () UTF-8 ALL
S~ u BAD *
C: v SORT (REVERSE) UTF-8 ALL
S~ v BAD *
C: w SORT (DATE) UTF-8 9
S: * SORT
S: w OK SORT completed
W: expunge INBOX 1
C: x SORT (DATE) UTF-8 ALL                              # RFC 5256 §3: no EXPUNGE during SORT
S: * SORT 2 3 4 5
S: x OK SORT completed
C: y UID SORT (DATE) UTF-8 ALL                          # but during UID SORT
S: * SORT 2 3 4 5
S: * 1 EXPUNGE
S: y OK SORT completed
C: z ENABLE IMAP4rev2
S: * ENABLED IMAP4rev2
S: z OK ENABLE completed
C: a SORT (DATE) UTF-8 ALL                              # RFC 9051 changes the response of SEARCH alone
S: * SORT 1 2 3 4
S: a OK SORT completed
C: b SORT (DATE) UTF-8 NEW
S: b BAD SEARCH for RECENT, NEW and OLD is not in IMAP4rev2
C: c ENABLE UIDONLY
S: * ENABLED UIDONLY
S: c OK ENABLE completed
C: d SORT (DATE) UTF-8 ALL                              # RFC 9586 §3.5
S: d BAD [UIDREQUIRED] Message numbers are not allowed once UIDONLY is enabled
C: e UID SORT (DATE) UTF-8 ALL
S: * SORT 2 3 4 5
S: e OK SORT completed
C: f ENABLE UTF8=ACCEPT
S: * ENABLED UTF8=ACCEPT
S: f OK ENABLE completed
C: g UID SORT (DATE) UTF-8 ALL
S: * SORT 2 3 4 5
S: g OK SORT completed
C: h UID SORT (DATE) KOI8-R ALL                         # RFC 9755 §3: a conflicting label
S: h BAD CHARSET can't be given after ENABLE UTF8=ACCEPT
