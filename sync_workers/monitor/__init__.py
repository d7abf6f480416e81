"""`sync-workers monitor`: what operators watch, read from Redis when it is asked for.

view.py        what Redis says now
collector.py   from that to Prometheus metrics
scale.py       from that to how many workers are wanted
incidents.py   from that to what is wrong
alerting.py    tells people what is wrong
sending.py     to webhooks, Slack, by e-mail
serve.py       the process
"""
