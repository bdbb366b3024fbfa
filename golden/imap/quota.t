# QUOTA with QUOTASET (RFC 9208).
messages: 12

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b GETQUOTA ""
S: * QUOTA "" (STORAGE 2 512 MAILBOX 1 100)
S: b OK GETQUOTA completed
C: c GETQUOTAROOT INBOX
S: * QUOTAROOT INBOX ""
S: * QUOTA "" (STORAGE 2 512 MAILBOX 1 100)
S: c OK GETQUOTAROOT completed
C: d GETQUOTAROOT not/yet  # §4.1.2: it need not exist
S: * QUOTAROOT "not/yet" ""
S: * QUOTA "" (STORAGE 2 512 MAILBOX 1 100)
S: d OK GETQUOTAROOT completed
C: e GETQUOTA "!partition/sda4"
S: e NO [NONEXISTENT] There is no such quota root
C: f SETQUOTA "" (STORAGE 99999999)
S: f NO [NOPERM] Limits are set by administrators
C: f2 SETQUOTA "" (MAILBOX 9)  # §4.1.3: a limit of the system
S: f2 NO [CANNOT] The limit of MAILBOX can't be set
W: administrator
C: S0001 SETQUOTA "" (STORAGE 510)
S: * QUOTA "" (STORAGE 2 510 MAILBOX 1 100)
S: S0001 OK SETQUOTA completed
C: S0003 SETQUOTA "" (MESSAGE 20)  # "limits not explicitly listed … are discarded"
S: * QUOTA "" (MESSAGE 12 20 MAILBOX 1 100)
S: S0003 OK SETQUOTA completed
C: S0004 SETQUOTA "#user/alice" (STORAGE 1)
S: S0004 NO [NONEXISTENT] There is no such quota root
C: S0005 SETQUOTA "" ()
S: * QUOTA "" (MAILBOX 1 100)
S: S0005 OK SETQUOTA completed
C: g STATUS INBOX (MESSAGES DELETED DELETED-STORAGE)  # §4.1.4
S: * STATUS INBOX (MESSAGES 12 DELETED 0 DELETED-STORAGE 0)
S: g OK STATUS completed
C: h SELECT INBOX
S: * 12 EXISTS
S: * 12 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 13] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 23] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: h OK [READ-WRITE] SELECT completed
C: i STORE 1,2,10,11 +FLAGS.SILENT (\Deleted)
S: i OK STORE completed
C: j STATUS INBOX (MESSAGES DELETED DELETED-STORAGE)
S~ * STATUS INBOX (MESSAGES 12 DELETED 4 DELETED-STORAGE 6*)
S: j OK STATUS completed
C: k LIST "" "*" RETURN (STATUS (DELETED-STORAGE))
S~ * LIST (\HasNoChildren) "/" INBOX
S~ * STATUS INBOX (DELETED-STORAGE 6*)
S: k OK LIST completed
