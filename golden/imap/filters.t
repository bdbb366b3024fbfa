# FILTERS (RFC 5466), with its example.
messages: 3
administrator: joe@example.test

S~ * OK [CAPABILITY *] *
C: l LOGIN joe secret
S~ l OK [CAPABILITY * FILTERS *] *
C: s SELECT INBOX
S~ * 3 EXISTS
S~ * 3 RECENT
S~ * OK [UNSEEN 1] *
S~ * OK [UIDVALIDITY 1001] *
S~ * OK [UIDNEXT 4] *
S~ * FLAGS *
S~ * OK [PERMANENTFLAGS *] *
S~ * OK [HIGHESTMODSEQ *] *
S~ * OK [MAILBOXID *] *
S~ * OK [ANNOTATIONS *] Largest annotation
S: s OK [READ-WRITE] SELECT completed
C: a007 SETMETADATA "" ("/private/filters/values/on-the-road" "OR SMALLER 5 FROM \"a2@example.test\"")  # §3.2
S: a007 OK SETMETADATA completed
C: a SEARCH UID 1:900 FILTER on-the-road SINCE "3-Dec-2002"  # §3.1
S: * SEARCH 2
S: a OK SEARCH completed
C: a UID SEARCH RETURN (COUNT) NOT FILTER On-The-Road
S: * ESEARCH (TAG "a") UID COUNT 2
S: a OK SEARCH completed
C: b SETMETADATA "" (/shared/filters/values/on-the-road ALL)
S: b BAD expected a value or NIL at column 54: "ALL)"
C: b SETMETADATA "" (/shared/filters/values/on-the-road "ALL" /shared/filters/values/two "FILTER on-the-road UID 2:3")
S: b OK SETMETADATA completed
C: c SEARCH FILTER two  # the private one counts; a filter may name another
S: * SEARCH 2
S: c OK SEARCH completed
C: c SETMETADATA "" (/private/filters/values/on-the-road NIL)
S: c OK SETMETADATA completed
C: c SEARCH FILTER two
S: * SEARCH 2 3
S: c OK SEARCH completed
C: d SEARCH RETURN (SAVE) ALL
S: d OK SEARCH completed
C: d SEARCH RETURN (SAVE) FILTER none
S: d NO [UNDEFINED-FILTER none] There is no such filter, or it names itself
C: d UID FETCH $ (FLAGS)  # RFC 5182 §2.1: nothing is saved
S: d OK FETCH completed
C: e SETMETADATA "" (/private/filters/values/loop "FILTER loop")
S: e OK SETMETADATA completed
C: e SEARCH FILTER loop
S: e NO [UNDEFINED-FILTER loop] There is no such filter, or it names itself
C: f SETMETADATA "" (/private/filters/values/half "OR SMALLER")  # §3.2: a full criterion
S: f NO [CANNOT] The value of a filter must be search criteria
C: g SEARCH CHARSET KOI8-R FILTER two
S: g BAD [BADCHARSET (UTF-8 US-ASCII)] FILTER implies UTF-8
C: h SEARCH FILTER a/b
S: h BAD expected the name of a filter at column 17: "a/b"
