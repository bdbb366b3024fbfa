# COMPARATOR (RFC 5255 §4), with the command of its example.
world: comparator

S~ * OK [CAPABILITY *] *
C: a COMPARATOR  # §4.7: valid in authenticated and selected states
S: a BAD COMPARATOR needs a log-in first
C: b LOGIN joe secret
S~ b OK [CAPABILITY * I18NLEVEL=2 *] *
C: c COMPARATOR
S: * COMPARATOR i;unicode-casemap
S: c OK The active comparator has been told
C: A001 COMPARATOR "cz;*" i;basic
S: A001 NO [BADCOMPARATOR] There is no such comparator
C: A002 COMPARATOR "cz;*" i;ascii-casemap  # the first that is there
S: * COMPARATOR i;ascii-casemap
S: A002 OK Will use i;ascii-casemap for collation
C: A003 COMPARATOR "cz;*" "*" i;octet  # §4.7: all that match are listed
S: * COMPARATOR i;unicode-casemap (i;unicode-casemap i;ascii-casemap i;octet)
S: A003 OK Will use i;unicode-casemap for collation
C: A004 COMPARATOR i;octet default
S: * COMPARATOR i;octet (i;unicode-casemap i;octet)
S: A004 OK Will use i;octet for collation
C: A005 COMPARATOR i;basic
S: A005 NO [BADCOMPARATOR] There is no such comparator
C: A006 COMPARATOR "i;**"  # RFC 4790 §3.2
S: A006 BAD That is no name of a comparator (RFC 4790)
C: A007 COMPARATOR  # what failed changed nothing
S: * COMPARATOR i;octet
S: A007 OK The active comparator has been told
C: A008 COMPARATOR default
S: * COMPARATOR i;unicode-casemap
S: A008 OK Will use i;unicode-casemap for collation
C: d EXAMINE INBOX
S~ * 6 EXISTS
S~ * 6 RECENT
S~ * OK [UNSEEN *] *
S~ * OK [UIDVALIDITY *] *
S~ * OK [UIDNEXT *] *
S~ * FLAGS *
S~ * OK [PERMANENTFLAGS *] *
S~ * OK [HIGHESTMODSEQ *] *
S~ * OK [MAILBOXID *] *
S~ * OK [ANNOTATIONS *] Largest annotation
S~ d OK *
C: e UID SEARCH SUBJECT a
S: * SEARCH 2 3
S: e OK SEARCH completed
C: f UID SEARCH CHARSET UTF-8 SUBJECT {2+}
C: é
S: * SEARCH 5 6
S: f OK SEARCH completed
C: g UID SORT (SUBJECT) UTF-8 ALL
S: * SORT 2 3 1 4 5 6
S: g OK SORT completed
C: h UID THREAD ORDEREDSUBJECT UTF-8 ALL
S: * THREAD (1 4)(2 3)(5 6)
S: h OK THREAD completed
C: i COMPARATOR i;ascii-casemap
S: * COMPARATOR i;ascii-casemap
S: i OK Will use i;ascii-casemap for collation
C: j UID SEARCH SUBJECT a
S: * SEARCH 2 3
S: j OK SEARCH completed
C: l UID SORT (SUBJECT) UTF-8 ALL
S: * SORT 2 3 1 4 6 5
S: l OK SORT completed
C: m COMPARATOR -i;octet  # RFC 4790 §3.3: the other way round
S: * COMPARATOR -i;octet
S: m OK Will use i;octet for collation
C: n UID SEARCH SUBJECT a
S: * SEARCH 3
S: n OK SEARCH completed
C: o UID SORT (SUBJECT) UTF-8 ALL
S: * SORT 5 6 1 3 4 2
S: o OK SORT completed
C: p UID SORT (REVERSE SUBJECT) UTF-8 ALL
S: * SORT 2 4 3 1 6 5
S: p OK SORT completed
C: q UID THREAD ORDEREDSUBJECT UTF-8 ALL
S: * THREAD (1)(2)(3)(4)(5)(6)
S: q OK THREAD completed
C: q2 ESEARCH IN (selected) SUBJECT a  # RFC 7377
S: * ESEARCH (TAG "q2" MAILBOX INBOX UIDVALIDITY 1001) UID ALL 3
S: q2 OK ESEARCH completed
C: q3 ESEARCH IN (personal) SUBJECT a
S: * ESEARCH (TAG "q3" MAILBOX INBOX UIDVALIDITY 1001) UID ALL 3
S: q3 OK ESEARCH completed
C: r UNAUTHENTICATE  # RFC 8437 §3: all that was agreed on is forgotten
S~ r OK *
C: s LOGIN joe secret
S~ s OK *
C: t COMPARATOR
S: * COMPARATOR i;unicode-casemap
S: t OK The active comparator has been told
C: u LOGOUT
S: * BYE Logging out
S~ u OK *
E:
