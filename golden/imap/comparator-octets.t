# RFC 5255 §4.6: what can't be decoded is compared octet by octet, and sorts behind all else. The subjects are those of its
# example: 1 and 3 are wrong in UTF-8.
world: undecodable

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b EXAMINE INBOX
S~ * 4 EXISTS
S~ * 4 RECENT
S~ * OK [UNSEEN *] *
S~ * OK [UIDVALIDITY *] *
S~ * OK [UIDNEXT *] *
S~ * FLAGS *
S~ * OK [PERMANENTFLAGS *] *
S~ * OK [HIGHESTMODSEQ *] *
S~ * OK [MAILBOXID *] *
S~ * OK [ANNOTATIONS *] Largest annotation
S~ b OK *
C: c UID SORT (SUBJECT) UTF-8 ALL  # §4.6: "the final ordering is as follows: (4) (2) (3) (1)"
S: * SORT 4 2 3 1
S: c OK SORT completed
C: d UID SORT (REVERSE SUBJECT) UTF-8 ALL
S: * SORT 1 3 2 4
S: d OK SORT completed
C: e UID SEARCH CHARSET UTF-8 SUBJECT {4+}  # in small letters, and in 4 within the word
C: Се
S: * SEARCH 2 4
S: e OK SEARCH completed
C: f UID SEARCH CHARSET UTF-8 SUBJECT {4+}
C: Ва
S: * SEARCH 3
S: f OK SEARCH completed
C: g UID SEARCH CHARSET UTF-8 SUBJECT {4+}  # 3 is compared by i;octet
C: ва
S: * SEARCH
S: g OK SEARCH completed
C: h COMPARATOR i;octet
S: * COMPARATOR i;octet
S: h OK Will use i;octet for collation
C: i UID SORT (SUBJECT) UTF-8 ALL
S: * SORT 4 2 3 1
S: i OK SORT completed
