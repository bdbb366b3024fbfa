# SEARCH (RFC 3501 §6.4.4), ESEARCH (RFC 4731), charsets.
messages: 5

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
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
C: c STORE 2,4 +FLAGS (\Seen $x)
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $x)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $x \*)] Flags permitted
S: * 2 FETCH (FLAGS (\Seen \Recent $x))
S: * 4 FETCH (FLAGS (\Seen \Recent $x))
S: c OK STORE completed
C: d SEARCH SEEN
S: * SEARCH 2 4
S: d OK SEARCH completed
C: e UID SEARCH NOT SEEN
S: * SEARCH 1 3 5
S: e OK SEARCH completed
C: f SEARCH KEYWORD $x 3:*
S: * SEARCH 4
S: f OK SEARCH completed
C: g SEARCH FROM a3@ SUBJECT "MESSAGE 3"
S: * SEARCH 3
S: g OK SEARCH completed
C: h SEARCH OR BODY "body 1" HEADER Message-ID <5@
S: * SEARCH 1 5
S: h OK SEARCH completed
C: i SEARCH 1:3 UID 2:9
S: * SEARCH 2 3
S: i OK SEARCH completed
C: j SEARCH NEW
S: * SEARCH 1 3 5
S: j OK SEARCH completed
C: k SEARCH OLD  # NOT RECENT
S: * SEARCH
S: k OK SEARCH completed
C: l SEARCH SUBJECT nothing
S: * SEARCH
S: l OK SEARCH completed
C: m SEARCH CHARSET X-NONE SUBJECT a  # RFC 3501 §6.4.4
S: m NO [BADCHARSET (US-ASCII UTF-8 ISO-8859-1 ISO-8859-2 ISO-8859-5 ISO-8859-15 KOI8-R KOI8-U WINDOWS-1251 WINDOWS-1252 GB18030 BIG5 SHIFT_JIS ISO-2022-JP EUC-KR)] That charset is not known
C: n SEARCH CHARSET KOI8-R SUBJECT a3
S: * SEARCH
S: n OK SEARCH completed
C: o SEARCH SINCE 14-Nov-2023 BEFORE 15-Nov-2023 LARGER 10 SMALLER 10000 SENTON 14-Nov-2023
S: * SEARCH 1 2 3 4 5
S: o OK SEARCH completed
C: p SEARCH 9  # RFC 7377 §2: no mistake, in any SEARCH
S: * SEARCH
S: p OK SEARCH completed
C: p SEARCH 4:9 UNSEEN  # RFC 7377 §2: no mistake in any SEARCH
S: * SEARCH 5
S: p OK SEARCH completed
C: q SEARCH RETURN (MIN MAX COUNT ALL) UNSEEN
S: * ESEARCH (TAG "q") MIN 1 MAX 5 COUNT 3 ALL 1,3,5
S: q OK SEARCH completed
C: r UID SEARCH RETURN () UNSEEN  # RFC 4731 §3.1: () means ALL
S: * ESEARCH (TAG "r") UID ALL 1,3,5
S: r OK SEARCH completed
C: s SEARCH RETURN (MIN COUNT ALL) SUBJECT nothing
S: * ESEARCH (TAG "s") COUNT 0
S: s OK SEARCH completed
C: t SEARCH RETURN (MIN) SUBJECT nothing  # no MIN when nothing was found
S: * ESEARCH (TAG "t")
S: t OK SEARCH completed
C: u SEARCH YOUNGER 10
S: * SEARCH 1 2 3 4 5
S: u OK SEARCH completed
C: v SEARCH EMAILID M3
S: * SEARCH 3
S: v OK SEARCH completed
C: w SEARCH (OR (SEEN) (NOT 1:4)) UNDELETED
S: * SEARCH 2 4 5
S: w OK SEARCH completed
C: x SEARCH BOGUS
S: x BAD expected a search key at column 10: "BOGUS"
C: y SEARCH RETURN (SAVE) SEEN  # RFC 5182 §2.1: no response
S: y OK SEARCH completed
C: z FETCH $ (UID)
S: * 2 FETCH (UID 2)
S: * 4 FETCH (UID 4)
S: z OK FETCH completed
C: za SEARCH RETURN (SAVE) BOGUS  # RFC 5182 §2.1: BAD changes nothing
S: za BAD expected a search key at column 25: "BOGUS"
C: zb FETCH $ (UID)
S: * 2 FETCH (UID 2)
S: * 4 FETCH (UID 4)
S: zb OK FETCH completed
C: zc SEARCH CHARSET X-NONE TEXT a  # nor does NO without SAVE
S~ zc NO [BADCHARSET *] *
C: zd SEARCH $
S: * SEARCH 2 4
S: zd OK SEARCH completed
C: ze SEARCH RETURN (SAVE) CHARSET X-NONE OR $ TEXT a  # §2.2, example 5: NO leaves nothing
S~ ze NO [BADCHARSET *] *
C: zf FETCH $ (UID)
S: zf OK FETCH completed
C: zg SEARCH RETURN (SAVE) SEEN
S: zg OK SEARCH completed
C: zh UID SORT RETURN (SAVE) (DATE) X-NONE ALL
S~ zh NO [BADCHARSET *] *
C: zi SEARCH $
S: * SEARCH
S: zi OK SEARCH completed
