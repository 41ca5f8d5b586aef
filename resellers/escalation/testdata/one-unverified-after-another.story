# Three customers have open accounts and nobody verifies them. Verifying one after the other, each too late, is one finding and one
# case that goes on by its clock; it ends when nobody has waited too long. A new account after that has its own 30 days.

day 0    enrolled
day 5    attests initial
day 10   opens an account of c-1
day 12   opens an account of c-2
day 14   opens an account of c-3
day 45   verifies c-1
day 50   verifies c-2
day 60   closes an account of c-3
day 70   opens an account of c-4

expect day 5   good
expect day 20  next warned on day 40
expect day 40  opens customer.unverified
expect day 40  warned
expect day 46  next restricted on day 54
expect day 51  still warned
expect day 54  orders no-new-accounts
expect day 54  restricted
expect day 55  limit day 70
expect day 60  cures customer.unverified
expect day 60  withdraws no-new-accounts
expect day 60  good
expect day 80  next warned on day 100
day 99  verifies c-4
expect day 99  limit none

until day 300
