# RFC 9208 §4: the examples G0001, G0002, S0000 to S0003 and §4.3.1's A003. Departures: there is one quota root, called "" here,
# which has all resources; so "!partition/sda4" and "#user/alice" are both this one, but for S0002's answer to who may not set
# limits. The numbers are this world's.
mailboxes: saved-messages
messages: 12

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY * QUOTA QUOTASET QUOTA=RES-STORAGE QUOTA=RES-MESSAGE *] *
C: G0001 GETQUOTA "!partition/sda4"
S: G0001 NO [NONEXISTENT] There is no such quota root
C: G0001 GETQUOTA ""
S: * QUOTA "" (STORAGE 2 512 MAILBOX 2 100)
S: G0001 OK GETQUOTA completed
C: G0002 GETQUOTAROOT INBOX
S: * QUOTAROOT INBOX ""
S: * QUOTA "" (STORAGE 2 512 MAILBOX 2 100)
S: G0002 OK GETQUOTAROOT completed
C: S0002 SETQUOTA "" (STORAGE 99999999)
S: S0002 NO [NOPERM] Limits are set by administrators
W: administrator
C: S0000 SETQUOTA "" (STORAGE 111 MESSAGE 1000)
S: * QUOTA "" (STORAGE 2 111 MESSAGE 12 1000 MAILBOX 2 100)
S: S0000 OK SETQUOTA completed
C: S0000 GETQUOTA ""
S: * QUOTA "" (STORAGE 2 111 MESSAGE 12 1000 MAILBOX 2 100)
S: S0000 OK GETQUOTA completed
C: S0001 SETQUOTA "" (STORAGE 510)
S: * QUOTA "" (STORAGE 2 510 MAILBOX 2 100)
S: S0001 OK SETQUOTA completed
C: S0003 STATUS INBOX (MESSAGES DELETED DELETED-STORAGE)
S: * STATUS INBOX (MESSAGES 12 DELETED 0 DELETED-STORAGE 0)
S: S0003 OK STATUS completed
