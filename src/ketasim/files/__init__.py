"""What is kept on disk: whole or absent, sealed, and nobody else's.

- ``process``: who writes, told apart from every other process on any machine or in any container
- ``whole``: files and folders written aside, forced to disk, then renamed
- ``seal``: digests bound to what is kept and where
- ``names``: names that a user wrote
- ``owned``: is a folder this user's alone?
"""
