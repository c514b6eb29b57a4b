import 'uplot/dist/uPlot.min.css';
import './style.css';
import { render } from 'preact';
import { App } from './shell/app.js';
import { openSession } from './shell/session.js';

const page = document.getElementById('page');
if (page) {
  page.replaceChildren();
  render(<App />, page);
  void openSession();
}
