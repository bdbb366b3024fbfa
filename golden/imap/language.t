# LANGUAGE (RFC 5255 §3), with the commands of its example.
tls: starttls
messages: 1

S~ * OK [CAPABILITY * LANGUAGE *] *
C: A0 LANGUAGE RU  # §3.1: valid in all states
S: * LANGUAGE (ru)
S: A0 OK Ответы теперь на русском
C: A1 FETCH 1 FLAGS
S: A1 BAD Для команды FETCH сначала нужен вход
C: A2 STARTTLS
S: A2 OK Начинайте согласование TLS
T:
C: A3 FETCH 1 FLAGS  # §3.1: to be asked for again inside TLS
S: A3 BAD FETCH needs a log-in first
C: A4 LOGIN joe secret
S~ A4 OK [CAPABILITY * LANGUAGE *] LOGIN completed
C: A002 LANGUAGE MUL
S: A002 NO That language is not supported
C: A003 LANGUAGE  # no argument: the list
S: * LANGUAGE (i-default en ru)
S: A003 OK Supported languages have been listed
C: C001 LANGUAGE "RU-RU"  # RFC 4647 §3.4: ru fits
S: * LANGUAGE (ru)
S: * NAMESPACE (("" "/")) (("Other Users/" "/" "TRANSLATION" ("&BBQEQARDBDMEOAQ1- &BD8EPgQ7BEwENwQ+BDIEMARCBDUEOwQ4-/"))) (("Shared/" "/" "TRANSLATION" ("&BB4EMQRJBDgENQ-/")))  # §3.4
S: C001 OK Ответы теперь на русском
C: D001 LANGUAGE FR
S: D001 NO Этот язык не поддерживается
C: D002 SELECT INBOX
S: * 1 EXISTS
S: * 1 RECENT
S: * OK [UNSEEN 1] Письмо 1 — первое непрочитанное
S: * OK [UIDVALIDITY 1001] Номера UID действительны
S: * OK [UIDNEXT 2] Ожидаемый следующий UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Допустимые флаги
S~ * OK [HIGHESTMODSEQ *] Наибольший номер изменения
S: * OK [MAILBOXID (F1)] Идентификатор этого ящика
S~ * OK [ANNOTATIONS *] Наибольший размер аннотации
S: * OK [URLMECH INTERNAL] Способы для URLAUTH
S: D002 OK [READ-WRITE] Команда SELECT выполнена
C: D003 NONSENSE
S: D003 BAD Неизвестная команда, столбец 6: "NONSENSE"
C: E001 LANGUAGE FR-CA EN-CA  # the first that is there
S: * LANGUAGE (en)
S: * NAMESPACE (("" "/")) (("Other Users/" "/")) (("Shared/" "/"))
S: E001 OK Now speaking English
C: E002 LANGUAGE default
S: * LANGUAGE (i-default)
S: E002 OK Now speaking English
C: E003 LANGUAGE ru
S: * LANGUAGE (ru)
S: * NAMESPACE (("" "/")) (("Other Users/" "/" "TRANSLATION" ("&BBQEQARDBDMEOAQ1- &BD8EPgQ7BEwENwQ+BDIEMARCBDUEOwQ4-/"))) (("Shared/" "/" "TRANSLATION" ("&BB4EMQRJBDgENQ-/")))
S: E003 OK Ответы теперь на русском
C: E003 NAMESPACE
S: * NAMESPACE (("" "/")) (("Other Users/" "/" "TRANSLATION" ("&BBQEQARDBDMEOAQ1- &BD8EPgQ7BEwENwQ+BDIEMARCBDUEOwQ4-/"))) (("Shared/" "/" "TRANSLATION" ("&BB4EMQRJBDgENQ-/")))
S: E003 OK Команда NAMESPACE выполнена
C: E003 SEARCH (
S: E003 BAD Ожидалось: условие поиска; столбец 14
C: E003 CREATE ""
S: E003 NO [CANNOT] Имя ящика не может быть пустым
C: E003 CREATE "a%"
S: E003 NO [CANNOT] Имя ящика содержит знак подстановки (* или %)
C: E004 LOGOUT
S: * BYE До свидания
S: E004 OK Команда LOGOUT выполнена
E:
