"""From the lines of a body to RECORD lines, in blocks: all the work per event of the tap.

``framer.py`` is the loop. ``messages.py`` has what goes in and out, ``queue.py`` says which process
frames a block: this one, or one of those in ``helper_pool.py``, which run ``helper_process.py``.
"""
