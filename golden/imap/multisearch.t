# MULTISEARCH (RFC 7377). The examples of §2 and §3, with UIDs and UIDVALIDITYs of this world.
mailboxes: folder1, folder2/banana, folder2/peach, folder2/salmon/deep, folder2x
messages: 3
subscribed: folder2/peach, folder2/gone
page: 2

W: deliver folder1 5
W: deliver folder2/banana 2
W: deliver folder2/banana
W: deliver folder2/salmon/deep 3
W: deliver folder2/peach
W: deliver folder2x
S~ * OK [CAPABILITY *] *
C: x ESEARCH IN (personal) ALL
S: x BAD ESEARCH needs a log-in first
C: a LOGIN joe secret
S~ a OK [CAPABILITY * ESEARCH MULTISEARCH *] *
C: tag1 ESEARCH IN (mailboxes "folder1" subtree "folder2") unseen  # §3, in the authenticated state
C: tag2 ESEARCH IN (mailboxes "folder1" subtree-one "folder2") subject "message 3"
S: * ESEARCH (TAG "tag1" MAILBOX "folder1" UIDVALIDITY 1002) UID ALL 1:5
S: * ESEARCH (TAG "tag1" MAILBOX "folder2/banana" UIDVALIDITY 1004) UID ALL 1:3
S: * ESEARCH (TAG "tag1" MAILBOX "folder2/peach" UIDVALIDITY 1005) UID ALL 1
S: * ESEARCH (TAG "tag1" MAILBOX "folder2/salmon/deep" UIDVALIDITY 1007) UID ALL 1:3
S: tag1 OK ESEARCH completed
S: * ESEARCH (TAG "tag2" MAILBOX "folder2/banana" UIDVALIDITY 1004) UID ALL 3
S: tag2 OK ESEARCH completed
C: b ESEARCH ALL  # §2.2: "selected" is assumed
S: b BAD No mailbox is selected
C: b ESEARCH IN (personal selected) ALL
S: b BAD No mailbox is selected
C: b ESEARCH IN (personal) RETURN (UPDATE ALL) ALL
S: b BAD UPDATE needs a selected mailbox
C: b ESEARCH IN (personal) RETURN (SAVE) ALL
S: b BAD SAVE is for the selected mailbox alone
C: b ESEARCH IN (selected-delayed) ALL
S~ b BAD *
C: b ESEARCH IN () ALL
S~ b BAD *
C: b ESEARCH IN (personal (x y)) ALL  # §4: there are no scope options
S~ b BAD *
C: c ESEARCH IN (subscribed) RETURN (COUNT) ALL
S: * ESEARCH (TAG "c" MAILBOX "folder2/peach" UIDVALIDITY 1005) UID COUNT 1
S: c OK ESEARCH completed
C: c ESEARCH IN (mailboxes (folder2/gone folder2/peach none) subtree folder2/peach) RETURN (MIN MAX COUNT) ALL  # once only
S: * ESEARCH (TAG "c" MAILBOX "folder2/peach" UIDVALIDITY 1005) UID MIN 1 MAX 1 COUNT 1
S: c OK ESEARCH completed
C: c ESEARCH IN (inboxes) RETURN (COUNT) SUBJECT nothing  # §2.1: no response where nothing was found, not even COUNT
S: c OK ESEARCH completed
C: d ESEARCH IN (subtree folder2) RETURN (PARTIAL 2:3) ALL  # §2.2: for each mailbox
S: * ESEARCH (TAG "d" MAILBOX "folder2/banana" UIDVALIDITY 1004) UID PARTIAL (2:3 2:3)
S: * ESEARCH (TAG "d" MAILBOX "folder2/peach" UIDVALIDITY 1005) UID PARTIAL (2:3 NIL)
S: * ESEARCH (TAG "d" MAILBOX "folder2/salmon/deep" UIDVALIDITY 1007) UID PARTIAL (2:3 2:3)
S: d OK ESEARCH completed
C: d UID ESEARCH IN (subtree folder2) 2:100  # §2: numbers of each mailbox; beyond its end is no error
S: * ESEARCH (TAG "d" MAILBOX "folder2/banana" UIDVALIDITY 1004) UID ALL 2:3
S: * ESEARCH (TAG "d" MAILBOX "folder2/salmon/deep" UIDVALIDITY 1007) UID ALL 2:3
S: d OK ESEARCH completed
C: d ESEARCH IN (subtree folder2) RETURN (MAX) MODSEQ 1  # RFC 7162 §3.1.10: of what MAX names
S: * ESEARCH (TAG "d" MAILBOX "folder2/banana" UIDVALIDITY 1004) UID MAX 3 MODSEQ 29
S: * ESEARCH (TAG "d" MAILBOX "folder2/peach" UIDVALIDITY 1005) UID MAX 1 MODSEQ 33
S: * ESEARCH (TAG "d" MAILBOX "folder2/salmon/deep" UIDVALIDITY 1007) UID MAX 3 MODSEQ 32
S: d OK ESEARCH completed
C: d ESEARCH IN (subtree folder2) RETURN (MIN RELEVANCY) FUZZY SUBJECT "message 3x"  # §2.3
S: * ESEARCH (TAG "d" MAILBOX "folder2/banana" UIDVALIDITY 1004) UID MIN 3 RELEVANCY (100)
S: d OK ESEARCH completed
C: e SELECT INBOX
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
S: e OK [READ-WRITE] SELECT completed
C: tag1 UID ESEARCH FROM "example" 1:2  # §2
S: * ESEARCH (TAG "tag1" MAILBOX INBOX UIDVALIDITY 1001) UID ALL 1:2
S: tag1 OK ESEARCH completed
C: tag1 UID ESEARCH FROM "example" 3:200
S: * ESEARCH (TAG "tag1" MAILBOX INBOX UIDVALIDITY 1001) UID ALL 3
S: tag1 OK ESEARCH completed
C: tag1 UID ESEARCH FROM "example" 101:200
S: tag1 OK ESEARCH completed
C: f ESEARCH RETURN (SAVE) 2:3  # §2.2
S: f OK ESEARCH completed
C: f ESEARCH IN (selected) RETURN (ALL SAVE) $ 3
S: * ESEARCH (TAG "f" MAILBOX INBOX UIDVALIDITY 1001) UID ALL 3
S: f OK ESEARCH completed
C: f SEARCH $
S: * SEARCH 3
S: f OK SEARCH completed
C: f ESEARCH IN (selected mailboxes INBOX mailboxes folder1) RETURN (ALL) $  # of another mailbox it names nothing
S: * ESEARCH (TAG "f" MAILBOX INBOX UIDVALIDITY 1001) UID ALL 3
S: f OK ESEARCH completed
C: f ESEARCH IN (selected mailboxes folder1) RETURN (SAVE ALL) 1
S: f BAD SAVE is for the selected mailbox alone
C: f ESEARCH RETURN (SAVE ALL) SUBJECT nothing
S: f OK ESEARCH completed
C: f SEARCH $
S: * SEARCH
S: f OK SEARCH completed
C: f ESEARCH IN (mailboxes INBOX) RETURN (UPDATE COUNT) ALL
S: * ESEARCH (TAG "f" MAILBOX INBOX UIDVALIDITY 1001) UID COUNT 3
S: f OK ESEARCH completed
C: f CANCELUPDATE "f"
S: f OK CANCELUPDATE completed
C: u ESEARCH IN (selected mailboxes folder1) RETURN (UPDATE COUNT) FLAGGED  # §2.2: of the selected mailbox alone
S: u OK ESEARCH completed
C: v STORE 1 +FLAGS.SILENT (\Flagged)  # §2.1: each response names the mailbox
S~ * 1 FETCH (UID 1 MODSEQ (*))
S: * ESEARCH (TAG "u" MAILBOX INBOX UIDVALIDITY 1001) UID ADDTO (0 1)
S: v OK STORE completed
C: v STORE 1 -FLAGS.SILENT (\Flagged)
S~ * 1 FETCH (UID 1 MODSEQ (*))
S: * ESEARCH (TAG "u" MAILBOX INBOX UIDVALIDITY 1001) UID REMOVEFROM (0 1)
S: v OK STORE completed
C: v CANCELUPDATE "u"
S: v OK CANCELUPDATE completed
C: u ESEARCH IN (mailboxes folder1) RETURN (UPDATE) FLAGGED
S: * NO [NOUPDATE "u"] That result is not kept up to date
S: u OK ESEARCH completed
W: expunge INBOX 1
C: g ESEARCH IN (selected mailboxes folder1) 3  # numbers as the client knows them
S: * ESEARCH (TAG "g" MAILBOX INBOX UIDVALIDITY 1001) UID ALL 3
S: * ESEARCH (TAG "g" MAILBOX "folder1" UIDVALIDITY 1002) UID ALL 3
S: g OK ESEARCH completed
C: g ESEARCH IN (inboxes) RETURN (COUNT) SUBJECT "message 3"
S: * ESEARCH (TAG "g" MAILBOX INBOX UIDVALIDITY 1001) UID COUNT 1
S: * ESEARCH (TAG "g" MAILBOX "folder2/banana" UIDVALIDITY 1004) UID COUNT 1
S: * 1 EXPUNGE
S: g OK ESEARCH completed
C: g RENAME folder2x {2+}
C: x2
S: g OK RENAME completed
C: g ESEARCH CHARSET x-nothing ALL
S~ g NO [BADCHARSET *] *
C: g SETMETADATA "" (/private/filters/values/third "SUBJECT \"message 3\"")
S: g OK SETMETADATA completed
C: g ESEARCH IN (mailboxes (folder1 folder2/banana)) FILTER third
S: * ESEARCH (TAG "g" MAILBOX "folder2/banana" UIDVALIDITY 1004) UID ALL 3
S: g OK ESEARCH completed
C: g ESEARCH IN (mailboxes {2+}
C: x2) RETURN () ALL  # a literal, and the empty list means ALL
S: * ESEARCH (TAG "g" MAILBOX "x2" UIDVALIDITY 1008) UID ALL 1
S: g OK ESEARCH completed
W: rights folder2/banana l  # §2.2: mailboxes without "r" are ignored
W: rights folder2/peach r  # and those without "l" that were not named
C: h ESEARCH IN (subtree folder2 mailboxes folder2/banana) RETURN (COUNT) ALL
S: * ESEARCH (TAG "h" MAILBOX "folder2/salmon/deep" UIDVALIDITY 1007) UID COUNT 3
S: h OK ESEARCH completed
C: h ESEARCH IN (mailboxes folder2/peach) RETURN (COUNT) ALL
S: * ESEARCH (TAG "h" MAILBOX "folder2/peach" UIDVALIDITY 1005) UID COUNT 1
S: h OK ESEARCH completed
C: i ENABLE IMAP4rev2 UIDONLY
S: * ENABLED IMAP4rev2 UIDONLY
S~ i OK *
C: i ESEARCH IN (personal) RECENT
S~ i BAD *
C: i ESEARCH IN (personal) 1:2
S: i BAD [UIDREQUIRED] Message numbers are not allowed once UIDONLY is enabled
C: i ESEARCH IN (mailboxes folder1) UID 2:3
S: * ESEARCH (TAG "i" MAILBOX "folder1" UIDVALIDITY 1002) UID ALL 2:3
S: i OK ESEARCH completed
