# PARTIAL (RFC 9394).
messages: 10

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b SELECT INBOX
S: * 10 EXISTS
S: * 10 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 11] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 21] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: b OK [READ-WRITE] SELECT completed
C: c STORE 3,5 +FLAGS.SILENT (\Deleted)
S: c OK STORE completed
C: d UID SEARCH RETURN (PARTIAL -1:-3) UNDELETED  # §3.1
S: * ESEARCH (TAG "d") UID PARTIAL (-1:-3 8:10)
S: d OK SEARCH completed
C: e UID SEARCH RETURN (PARTIAL 2:4) UNDELETED
S: * ESEARCH (TAG "e") UID PARTIAL (2:4 2,4,6)
S: e OK SEARCH completed
C: f UID SEARCH RETURN (PARTIAL 7:12) UNDELETED  # beyond the end
S: * ESEARCH (TAG "f") UID PARTIAL (7:12 9:10)
S: f OK SEARCH completed
C: g UID SEARCH RETURN (PARTIAL 9:500) UNDELETED
S: * ESEARCH (TAG "g") UID PARTIAL (9:500 NIL)
S: g OK SEARCH completed
C: h SEARCH RETURN (COUNT PARTIAL -4294967295:-7) UNDELETED  # either end first
S: * ESEARCH (TAG "h") COUNT 8 PARTIAL (-4294967295:-7 1:2)
S: h OK SEARCH completed
C: i SEARCH RETURN (PARTIAL 1:2 ALL) ALL  # §3.1: one of them
S~ i BAD expected one PARTIAL or ALL at column *
C: j SEARCH RETURN (PARTIAL 1:2 PARTIAL 3:4) ALL
S~ j BAD expected one PARTIAL or ALL at column *
C: k SEARCH RETURN (PARTIAL 1:-2) ALL
S~ k BAD expected a range such as 1:100 or -1:-100 at column *
C: l SEARCH RETURN (SAVE PARTIAL 2:3 MAX) UNDELETED  # §3.2
S: * ESEARCH (TAG "l") PARTIAL (2:3 2,4) MAX 10
S: l OK SEARCH completed
C: m SEARCH RETURN (ALL) $
S: * ESEARCH (TAG "m") ALL 2,4,10
S: m OK SEARCH completed
C: n SEARCH RETURN (SAVE PARTIAL 2:3 COUNT) UNDELETED
S: * ESEARCH (TAG "n") PARTIAL (2:3 2,4) COUNT 8
S: n OK SEARCH completed
C: o SEARCH RETURN (COUNT) $
S: * ESEARCH (TAG "o") COUNT 8
S: o OK SEARCH completed
C: p UID FETCH 2:9 (UID FLAGS) (PARTIAL -1:-3)  # §3.3
S: * 7 FETCH (UID 7 FLAGS (\Recent))
S: * 8 FETCH (UID 8 FLAGS (\Recent))
S: * 9 FETCH (UID 9 FLAGS (\Recent))
S: p OK FETCH completed
C: q UID FETCH 2:9 (UID FLAGS) (PARTIAL 1:2)
S: * 2 FETCH (UID 2 FLAGS (\Recent))
S: * 3 FETCH (UID 3 FLAGS (\Deleted \Recent))
S: q OK FETCH completed
C: r UID FETCH 1:* (FLAGS) (PARTIAL 5:10 CHANGEDSINCE 21)  # §3.4: the places first
S~ * OK [HIGHESTMODSEQ 21] *
S: * 5 FETCH (UID 5 FLAGS (\Deleted \Recent) MODSEQ (22))
S: r OK FETCH completed
C: s FETCH 1:* (FLAGS) (PARTIAL 1:2)  # UID FETCH only
S~ s BAD expected CHANGEDSINCE, VANISHED or one PARTIAL at column *
