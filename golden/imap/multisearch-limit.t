# ESEARCH (RFC 7377 §2.4) with MESSAGELIMIT (RFC 9738).
messages: 2
mailboxes: a, b, c
message_limit: 3

W: deliver a 2
W: deliver b 2
W: deliver c 9
S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b ESEARCH IN (personal) ALL
S: * ESEARCH (TAG "b" MAILBOX INBOX UIDVALIDITY 1001) UID ALL 1:2
S: b OK [LIMIT] ESEARCH completed with a part of the mailboxes
C: c ESEARCH IN (mailboxes (a b)) 2  # what is searched counts
S: * ESEARCH (TAG "c" MAILBOX "a" UIDVALIDITY 1002) UID ALL 2
S: * ESEARCH (TAG "c" MAILBOX "b" UIDVALIDITY 1003) UID ALL 2
S: c OK ESEARCH completed
C: d ESEARCH IN (mailboxes c) ALL  # of one mailbox, the highest
S: * ESEARCH (TAG "d" MAILBOX "c" UIDVALIDITY 1004) UID ALL 7:9
S: d OK [MESSAGELIMIT 3 7] ESEARCH completed with a part of the messages
