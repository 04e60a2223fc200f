"""A small server that answers as Stripe does: for tests, and for newcomers who want to see the whole path of a payment.

It keeps its state in memory, checks what it is asked (bracketed form fields, keys, amounts, times), honours idempotency
keys, answers in the shapes of the API version that the pinned library speaks, shows a payment page, and sends events
signed as Stripe signs them.  It knows only what this market uses of Stripe.

    python -m tests.stripe_standin           serves on 127.0.0.1:12111 (STRIPE_STANDIN_PORT) and sends its events to
                                             STRIPE_STANDIN_WEBHOOK, signed with STRIPE_WEBHOOK_SECRET
    STRIPE_STANDIN=1 make run                the same beside a market whose keys are set for it

Control, for tests that want bad days (all answer JSON):

    GET  /_control/state                     {"sessions": {…}, "refunds": {…}, "events": […], "deliveries": […]}
    POST /_control/rules                     a JSON object with any of (the answer is all of them):
         sleep_seconds   0      before every answer of the API
         delay_seconds   0      before an event is sent
         drop            0      so many of the next events are never sent; -1: none is sent from now on
         copies          1      so often is every event sent, all at once
         reorder         false  an event waits for the next one, and goes after it
         retries         4      so often an event is sent again that was not answered with 2xx
         refunds         "as made"  "as made": by card at once, by PromptPay pending; or the state that new refunds get
    POST /_control/pay/<checkout>/<how>      what a buyer's press of a button does; how: card, promptpay, fail,
                                             slow (the bank has not decided), arrive / bounce (then it decides)
    POST /_control/expire/<checkout>         its time is over
    POST /_control/refunds/<refund>/<state>  succeeded, failed, requires_action, canceled
    POST /_control/send/<event>              sends an event once more; answers {"status": …}
    POST /_control/reset                     forgets everything, rules too
"""
