"""The explorer: one file that holds the model as WebAssembly and runs it with the network off.

- ``setting``: a scenario as the page holds it
- ``facts``: everything the page says and knows
- ``build``: the page itself
- ``js``, ``page.html``, ``page.css``: what is put together
"""
