"""What a build has to fetch."""


class Plan:
    def __init__(self):
        self.needs = []
        self.refused = False
        # What the package manager is given: vetted, so nothing in it leads elsewhere.
        self.text = ""
        self.locked = False
