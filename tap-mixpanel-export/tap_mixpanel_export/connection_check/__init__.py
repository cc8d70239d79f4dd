"""``--test``: does every part of the connection work, and what is to be corrected where?"""
