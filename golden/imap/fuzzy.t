# SEARCH=FUZZY and RELEVANCY (RFC 6203). Here the world's FUZZY overlooks the last letter; the store's knows stems.
messages: 5

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY * SEARCH=FUZZY *] *
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
C: A1 SEARCH FUZZY (SUBJECT "message 3x")  # §3
S: * SEARCH 3
S: A1 OK SEARCH completed
C: A2 SEARCH FUZZY SUBJECT messagex FROM a3@  # §3: fuzzy and not
S: * SEARCH 3
S: A2 OK SEARCH completed
C: A3 SEARCH SUBJECT messagex
S: * SEARCH
S: A3 OK SEARCH completed
C: B1 SEARCH RETURN (RELEVANCY ALL) FUZZY TEXT "messagex"  # §4
S: * ESEARCH (TAG "B1") ALL 1:5 RELEVANCY (1 25 50 75 100)
S: B1 OK SEARCH completed
C: B2 UID SEARCH RETURN (RELEVANCY PARTIAL 4:5 COUNT) FUZZY FUZZY TEXT "messagex"
S: * ESEARCH (TAG "B2") UID PARTIAL (4:5 4:5) COUNT 5 RELEVANCY (75 100)
S: B2 OK SEARCH completed
C: B3 SEARCH RETURN (RELEVANCY) FUZZY OR SUBJECT nothingx SUBJECT neither
S: * ESEARCH (TAG "B3") RELEVANCY ()
S: B3 OK SEARCH completed
C: B4 SEARCH RETURN (RELEVANCY ALL) 3 FUZZY SUBJECT messagex  # the best of them is 100
S: * ESEARCH (TAG "B4") ALL 3 RELEVANCY (100)
S: B4 OK SEARCH completed
C: B5 SEARCH RETURN (RELEVANCY ALL) TEXT a  # §4: MUST NOT be used unless a FUZZY search key is also given
S~ B5 BAD *
C: B6 SEARCH FUZZY
S~ B6 BAD *
C: C2 SORT RETURN (RELEVANCY ALL) (REVERSE ARRIVAL) UTF-8 FUZZY SUBJECT messagex  # §6
S: * ESEARCH (TAG "C2") ALL 5,4,3,2,1 RELEVANCY (100 75 50 25 1)
S: C2 OK SORT completed
C: C1 SORT (RELEVANCY) UTF-8 FUZZY SUBJECT messagex  # §6: the highest score first
S: * SORT 5 4 3 2 1
S: C1 OK SORT completed
C: C1 SORT (REVERSE RELEVANCY SUBJECT) UTF-8 FUZZY SUBJECT messagex
S: * SORT 1 2 3 4 5
S: C1 OK SORT completed
C: C2 SORT RETURN (RELEVANCY ALL) (RELEVANCY) UTF-8 FUZZY TEXT messagex
S: * ESEARCH (TAG "C2") ALL 5,4,3,2,1 RELEVANCY (100 75 50 25 1)
S: C2 OK SORT completed
C: C3 SORT RETURN (PARTIAL 1:2) (RELEVANCY) UTF-8 FUZZY TEXT messagex
S: * ESEARCH (TAG "C3") PARTIAL (1:2 5,4)
S: C3 OK SORT completed
C: C4 UID SORT RETURN (PARTIAL 1:2 UPDATE) (RELEVANCY) UTF-8 FUZZY TEXT messagex UNFLAGGED  # RFC 5267 §4.3
S: * ESEARCH (TAG "C4") UID PARTIAL (1:2 5,4)
S: C4 OK SORT completed
W: deliver INBOX
C: n1 NOOP  # the newest is the likest here
S: * 6 EXISTS
S: * 6 RECENT
S: * ESEARCH (TAG "C4") UID ADDTO (1 6)
S: n1 OK NOOP completed
C: n2 UID STORE 3 +FLAGS.SILENT (\Flagged)
S: * ESEARCH (TAG "C4") UID REMOVEFROM (4 3)
S: n2 OK STORE completed
C: n3 UID STORE 3 -FLAGS.SILENT (\Flagged)  # back to its place
S: * ESEARCH (TAG "C4") UID ADDTO (4 3)
S: n3 OK STORE completed
C: C5 SORT (RELEVANCY) UTF-8 TEXT message
S~ C5 BAD *
