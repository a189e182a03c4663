"""ClusterRoles that collect: `admin`, `edit` and `view` say what the ClusterRoles labelled for them say.

So a program that brings roles of its own adds them to what people may do already. Reads and patches ClusterRoles. Read
`plan.py`.
"""
