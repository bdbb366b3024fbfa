# RFC 6856 §3: all text behind +OK and -ERR follows.
plaintext: yes
apop: no

S: +OK POP3 server ready
C: LANG
S: +OK language listing follows
S: en English
S: ru Русский
S: .
C: LANG MUL
S: -ERR no such language
C: LANG ru-RU
S: +OK ru язык изменён
C: LANG uga
S: -ERR нет такого языка              # RFC 6856 §3.3: the language stays
C: BOGUS
S: -ERR неизвестная команда
C: USER mrose
S: +OK теперь PASS
C: PASS wrong
S: -ERR [AUTH] неверное имя или пароль
C: USER mrose
C: PASS tanstaaf
S: +OK теперь PASS
S: +OK в ящике mrose писем: 2 (октетов: 320)
C: STAT
S: +OK 2 320
C: LIST 7
S: -ERR нет такого письма, всего их 2
C: DELE 1
S: +OK письмо 1 удалено
C: LANG *
S: +OK en language changed
C: DELE 1
S: -ERR message 1 already deleted
C: LANG ru
S: +OK ru язык изменён
C: QUIT
S: +OK dewey прощается (осталось писем: 1)
E:
