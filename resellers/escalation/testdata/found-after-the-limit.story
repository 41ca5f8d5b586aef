# The gateway was down for so long that the limit had passed before it found out. The reseller still gets its three days,
# and each step its day; and from the first moment on everybody is told that the limit has passed.

day 0    enrolled
day 10   gateway down
day 70   gateway up

expect day 70   opens cip.missing
expect day 70   passes limit                 # is stated, in words that say why
expect day 70   warned
expect day 70   limit day 60
expect day 70   limit passed
expect day 70   next restricted on day 73
expect day 73   orders no-new-accounts
expect day 73   restricted
expect day 74   orders reseller-account
expect day 74   closing
expect day 75   orders remaining-accounts
expect day 75   terminated
expect day 75   limit passed

until day 200
