# CONTEXT=SEARCH, CONTEXT=SORT (RFC 5267 §4).
messages: 6

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY * CONTEXT=SEARCH CONTEXT=SORT *] *
C: b SELECT INBOX
S: * 6 EXISTS
S: * 6 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 7] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 17] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: b OK [READ-WRITE] SELECT completed
C: A01 SEARCH RETURN (CONTEXT COUNT) UNDELETED UNKEYWORD $Junk     # §4.2: a hint, no more
S: * ESEARCH (TAG "A01") COUNT 6
S: A01 OK SEARCH completed
C: B01 UID SEARCH RETURN (UPDATE COUNT) DELETED                    # §4.3
S: * ESEARCH (TAG "B01") UID COUNT 0
S: B01 OK SEARCH completed
C: B01 SORT RETURN (UPDATE) (DATE) UTF-8 FLAGGED                   # §4.3: a tag in use
S: B01 BAD Tag reuse
C: c STORE 2:3 +FLAGS.SILENT (\Deleted)                            # §4.3.3: what this session does counts, too
S: * ESEARCH (TAG "B01") UID ADDTO (0 2:3)
S: c OK STORE completed
C: d UID SORT RETURN (UPDATE ALL) (REVERSE DATE) UTF-8 UNDELETED
S: * ESEARCH (TAG "d") UID ALL 6,5,4,1
S: d OK SORT completed
C: e SEARCH RETURN (UPDATE) ALL                                    # appendix A.3
S: * ESEARCH (TAG "e")
S: e OK SEARCH completed
C: f STORE 5 FLAGS (\Deleted)
S: * 5 FETCH (FLAGS (\Deleted \Recent))
S: * ESEARCH (TAG "B01") UID ADDTO (0 5)
S: * ESEARCH (TAG "d") UID REMOVEFROM (2 5)
S: f OK STORE completed
C: g UID STORE 3,5 -FLAGS.SILENT (\Deleted)
S: * ESEARCH (TAG "B01") UID REMOVEFROM (0 3,5)
S: * ESEARCH (TAG "d") UID ADDTO (2 5 4 3)
S: g OK STORE completed
W: deliver INBOX
C: h NOOP                                                          # §4.3.3: numbers come after EXISTS
S: * 7 EXISTS
S: * 7 RECENT
S: * ESEARCH (TAG "d") UID ADDTO (1 7)
S: * ESEARCH (TAG "e") ADDTO (0 7)
S: h OK NOOP completed
W: expunge INBOX 4
C: i FETCH 1 (UID)                                                 # appendix A.3: no EXPUNGE yet
S: * 1 FETCH (UID 1)
S: * ESEARCH (TAG "d") UID REMOVEFROM (4 4)
S: * ESEARCH (TAG "e") REMOVEFROM (0 4)
S: i OK FETCH completed
C: j NOOP
S: * 4 EXPUNGE
S: j OK NOOP completed
C: k EXPUNGE                                                       # §4.3.4: before EXPUNGE, while the number is valid
S: * ESEARCH (TAG "B01") UID REMOVEFROM (0 2)
S: * ESEARCH (TAG "e") REMOVEFROM (0 2)
S: * 2 EXPUNGE
S: k OK EXPUNGE completed
C: l IDLE
S~ + *
W: deliver INBOX
S: * 6 EXISTS
S: * 6 RECENT
S: * ESEARCH (TAG "d") UID ADDTO (1 8)
S: * ESEARCH (TAG "e") ADDTO (0 6)
C: DONE
S: l OK IDLE terminated
C: m CANCELUPDATE "e" "nobody's"                                   # §4.3.5
S: m OK CANCELUPDATE completed
W: expunge INBOX 6
C: n NOOP
S: * ESEARCH (TAG "d") UID REMOVEFROM (3 6)
S: * 4 EXPUNGE
S: n OK NOOP completed
C: o SEARCH RETURN (UPDATE ALL) 1:2                                # §4.3: numbers as they are at the command
S: * ESEARCH (TAG "o") ALL 1:2
S: o OK SEARCH completed
C: p UID SEARCH RETURN (UPDATE ALL) UID 8:*
S: * ESEARCH (TAG "p") UID ALL 8
S: p OK SEARCH completed
W: deliver INBOX
C: q NOOP
S: * 6 EXISTS
S: * 6 RECENT
S: * ESEARCH (TAG "d") UID ADDTO (1 9)
S: * ESEARCH (TAG "p") UID ADDTO (0 9)
S: q OK NOOP completed
C: r1 SEARCH RETURN (UPDATE) SEEN
S: * ESEARCH (TAG "r1")
S: r1 OK SEARCH completed
C: r2 SEARCH RETURN (UPDATE) SEEN
S: * ESEARCH (TAG "r2")
S: r2 OK SEARCH completed
C: r3 SEARCH RETURN (UPDATE) SEEN
S: * ESEARCH (TAG "r3")
S: r3 OK SEARCH completed
C: r4 SEARCH RETURN (UPDATE) SEEN
S: * ESEARCH (TAG "r4")
S: r4 OK SEARCH completed
C: B02 UID SORT RETURN (UPDATE COUNT) (DATE) UTF-8 ALL             # §4.3.1: too many
S: * ESEARCH (TAG "B02") UID COUNT 6
S: * NO [NOUPDATE "B02"] That result is not kept up to date
S: B02 OK SORT completed
C: r5 CANCELUPDATE "r4"                                            # §4.3.5: room for another one
S: r5 OK CANCELUPDATE completed
C: r6 SEARCH RETURN (UPDATE) SEEN
S: * ESEARCH (TAG "r6")
S: r6 OK SEARCH completed
C: r7 UID SEARCH RETURN (UPDATE COUNT) ALL                         # §4.3.1: "Other return options specified SHALL still be honoured"
S: * ESEARCH (TAG "r7") UID COUNT 6
S: * NO [NOUPDATE "r7"] That result is not kept up to date
S: r7 OK SEARCH completed
C: s SELECT INBOX                                                  # §4.3: the updates end with the mailbox
S~ * OK [CLOSED]*
S: * 6 EXISTS
S: * 0 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 10] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 26] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: s OK [READ-WRITE] SELECT completed
W: deliver INBOX
C: t NOOP
S: * 7 EXISTS
S: * 1 RECENT
S: t OK NOOP completed
