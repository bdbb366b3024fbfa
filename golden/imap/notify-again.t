# NOTIFY that fails and that is repeated (RFC 5465 §3.1), mailboxes of one UIDVALIDITY, and its words in another language (RFC 5255).
mailboxes: misc, other
messages: 1

S~ * OK [CAPABILITY *] *
C: a LOGIN bob secret
S~ a OK [CAPABILITY *] *
C: b SELECT INBOX
S~ * 1 EXISTS
S~ * 1 RECENT
S~ * OK [UNSEEN 1] *
S~ * OK [UIDVALIDITY 1001] *
S~ * OK [UIDNEXT 2] *
S~ * FLAGS *
S~ * OK [PERMANENTFLAGS *] *
S~ * OK [HIGHESTMODSEQ *] *
S~ * OK [MAILBOXID *] *
S~ * OK [ANNOTATIONS *] Largest annotation
S: b OK [READ-WRITE] SELECT completed
C: c NOTIFY SET (selected (MessageNew (uid) MessageExpunge)) (mailboxes misc (MessageNew MessageExpunge))
S: c OK NOTIFY completed
W: fail mailboxes
C: d NOTIFY SET STATUS (selected (MessageNew (modseq) MessageExpunge)) (mailboxes other (MessageNew MessageExpunge))
S: d NO [UNAVAILABLE] The store is away
W: deliver INBOX  # as before: UID alone, no MODSEQ
S: * 2 EXISTS
S: * 2 RECENT
S: * 2 FETCH (UID 2)
W: deliver other
W: deliver misc
S: * STATUS "misc" (UIDNEXT 2 MESSAGES 1)
W: fail watch
C: d NOTIFY SET (mailboxes other (MessageNew MessageExpunge))
S: d NO [UNAVAILABLE] The store is away
W: deliver misc
S: * STATUS "misc" (UIDNEXT 3 MESSAGES 2)
W: uidvalidity misc 1001  # of another's account, perhaps
W: deliver misc
S: * STATUS "misc" (UIDNEXT 4 MESSAGES 3)
C: e NOTIFY SET STATUS (selected (MessageNew (uid) MessageExpunge)) (mailboxes misc (MessageNew MessageExpunge))
S: * STATUS "misc" (UIDVALIDITY 1001 UIDNEXT 4 MESSAGES 3)
S: e OK NOTIFY completed
C: f APPEND misc {6+}
C: a: b
C: 
S: f OK [APPENDUID 1001 4] APPEND completed
W: deliver INBOX 2  # its UID 4 is not the one that this client brought
S: * 4 EXISTS
S: * 4 RECENT
S: * 3 FETCH (UID 3)
S: * 4 FETCH (UID 4)
S2~ * OK [CAPABILITY *] *
C2: a LOGIN bob secret
S2~ a OK [CAPABILITY *] *
C2: b ENABLE METADATA
S2: * ENABLED METADATA
S2: b OK ENABLE completed
C: g SETMETADATA misc (/shared/comment "x")
S: g OK SETMETADATA completed
C2: c NOTIFY SET (personal (MailboxMetadataChange))  # what was not yet told is told
S2: * METADATA "misc" /shared/comment
S2: c OK NOTIFY completed
C: h LANGUAGE ru
S: * LANGUAGE (ru)
S: * NAMESPACE (("" "/")) (("Other Users/" "/" "TRANSLATION" ("&BBQEQARDBDMEOAQ1- &BD8EPgQ7BEwENwQ+BDIEMARCBDUEOwQ4-/"))) (("Shared/" "/" "TRANSLATION" ("&BB4EMQRJBDgENQ-/")))
S: h OK Ответы теперь на русском
W: deliver misc 101
S: * OK [NOTIFICATIONOVERFLOW] Произошло слишком многое, повторите команду NOTIFY
C: u0 SEARCH RETURN (UPDATE) SEEN
S: * ESEARCH (TAG "u0")
S: u0 OK Команда SEARCH выполнена
C: u1 SEARCH RETURN (UPDATE) SEEN
S: * ESEARCH (TAG "u1")
S: u1 OK Команда SEARCH выполнена
C: u2 SEARCH RETURN (UPDATE) SEEN
S: * ESEARCH (TAG "u2")
S: u2 OK Команда SEARCH выполнена
C: u3 SEARCH RETURN (UPDATE) SEEN
S: * ESEARCH (TAG "u3")
S: u3 OK Команда SEARCH выполнена
C: u4 SEARCH RETURN (UPDATE) SEEN
S: * ESEARCH (TAG "u4")
S: u4 OK Команда SEARCH выполнена
C: u5 SEARCH RETURN (UPDATE) SEEN
S: * ESEARCH (TAG "u5")
S: u5 OK Команда SEARCH выполнена
C: u6 SEARCH RETURN (UPDATE) SEEN
S: * ESEARCH (TAG "u6")
S: u6 OK Команда SEARCH выполнена
C: u7 SEARCH RETURN (UPDATE) SEEN
S: * ESEARCH (TAG "u7")
S: u7 OK Команда SEARCH выполнена
C: u8 SEARCH RETURN (UPDATE) SEEN
S: * ESEARCH (TAG "u8")
S: * NO [NOUPDATE "u8"] Этот результат не обновляется
S: u8 OK Команда SEARCH выполнена
C: v NOTIFY SET (selected (MessageNew MessageExpunge))
S: v OK Команда NOTIFY выполнена
W: rights INBOX l
S: * BYE Выбранный ящик вам больше нельзя читать
E:
